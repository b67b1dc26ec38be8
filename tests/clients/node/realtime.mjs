// One scenario with one of openai-node's Realtime clients. Prints every event as a line of JSON; the test reads them.
//
//   node realtime.mjs SCENARIO ga|beta ws|websocket BASE_URL MODEL < recordings
//
// `ws` is the client for Node, `websocket` the one for browsers. What is to be spoken comes on standard input: a recording a
// line, each a JSON array of appends in base64.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import { WebSocket } from 'ws';

globalThis.WebSocket ??= WebSocket; // Node has the browser's class only since version 22

const [scenario, generation, transport, baseURL, model] = process.argv.slice(2);
const ga = generation === 'ga';
const family = await import(`openai/${ga ? '' : 'beta/'}realtime/${transport}`);
const Client = transport === 'ws' ? family.OpenAIRealtimeWS : family.OpenAIRealtimeWebSocket;
const recordings = readFileSync(0, 'utf8').split('\n').filter(Boolean);

const LAMP = {
  type: 'function',
  name: 'lamp',
  description: 'Switches the lamp.',
  parameters: { type: 'object', properties: { on: { type: 'boolean' } }, required: ['on'] },
};
const VAD = { type: 'server_vad', silence_duration_ms: 400 };
const STORY = 'once upon a time '.repeat(20);

/** A server event's name, given the beta's. */
const named = (name) => {
  if (!ga) return name;
  if (name === 'conversation.item.created') return 'conversation.item.added';
  return name.replace(/^response\.(text|audio|audio_transcript)\.(delta|done)$/, 'response.output_$1.$2');
};

const modalities = (spoken) =>
  ga ? { output_modalities: [spoken ? 'audio' : 'text'] } : { modalities: spoken ? ['text', 'audio'] : ['text'] };

const session = ({ spoken = true, vad = null, telephone = false, tools = [] } = {}) => {
  const transcription = { model: 'whisper-1' };
  const shared = { ...modalities(spoken), instructions: 'Be brief.', tools };
  if (!ga) {
    const format = telephone ? 'g711_ulaw' : 'pcm16';
    const formats = { input_audio_format: format, output_audio_format: format, voice: 'alloy' };
    return { ...shared, ...formats, turn_detection: vad, input_audio_transcription: transcription };
  }
  const format = telephone ? { type: 'audio/pcmu' } : { type: 'audio/pcm', rate: 24000 };
  const input = { format, turn_detection: vad, transcription };
  return { type: 'realtime', ...shared, audio: { input, output: { format, voice: 'marin' } } };
};

const rt = new Client({ model }, new OpenAI({ apiKey: 'unused', baseURL }));
const arrived = [];
let wake = () => {};

rt.on('event', (event) => {
  console.log(JSON.stringify(event));
  arrived.push(event);
  wake();
});
rt.on('error', (error) => {
  if (error.error) return; // an event of the server's, and printed as such
  console.error(error.message);
  process.exit(1);
});

/** The next event of this name (the beta's) that has not been waited for. */
const until = async (name) => {
  for (;;) {
    while (arrived.length === 0) await new Promise((resolve) => (wake = resolve));
    const event = arrived.shift();
    if (event.type === named(name)) return event;
  }
};
const send = (type, fields = {}) => rt.send({ type, ...fields });
const update = async (options) => {
  send('session.update', { session: session(options) });
  await until('session.updated');
};
const say = (text) =>
  send('conversation.item.create', {
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  });
const speak = () => JSON.parse(recordings.shift()).forEach((audio) => send('input_audio_buffer.append', { audio }));
const answer = async (response = {}) => {
  send('response.create', { response });
  return (await until('response.done')).response;
};
const retrieve = async (item_id) => {
  send('conversation.item.retrieve', { item_id });
  await until('conversation.item.retrieved');
};

const SCENARIOS = {
  async text() {
    await update({ spoken: false });
    say('good morning');
    await answer();
  },
  async question() {
    await update({ spoken: false });
    say('What is the capital of France?');
    await answer();
  },
  async pushToTalk(telephone = false) {
    await update({ telephone });
    speak();
    send('input_audio_buffer.commit');
    await answer();
  },
  telephone: () => SCENARIOS.pushToTalk(true),
  async vad() {
    await update({ vad: VAD });
    speak();
    await until('response.done');
  },
  async call() {
    await update({ spoken: false, tools: [LAMP] });
    say('call lamp {"on": true}');
    const { call_id } = (await answer()).output[0];
    send('conversation.item.create', { item: { type: 'function_call_output', call_id, output: 'the lamp is on' } });
    await answer();
  },
  async cancel() {
    await update();
    say(STORY);
    send('response.create');
    await until('response.audio.delta');
    send('response.cancel');
    await until('response.done');
    say('go on');
    await answer(modalities(false));
  },
  async truncate() {
    await update();
    say('one two three four');
    const { id } = (await answer()).output[0];
    send('conversation.item.truncate', { item_id: id, content_index: 0, audio_end_ms: 850 });
    await until('conversation.item.truncated');
    await retrieve(id);
  },
  async outOfBand() {
    await update({ spoken: false });
    say('the history');
    const aside = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'classify this' }] };
    await answer({ conversation: 'none', metadata: { topic: 'support' }, input: [aside] });
    await answer();
  },
  async interrupt() {
    await update({ vad: VAD });
    say(STORY);
    send('response.create');
    const { item_id } = await until('response.audio.delta');
    await sleep(1000); // the reply is being heard
    speak();
    await until('response.done');
    await retrieve(item_id);
    speak();
    await until('response.done');
  },
  async mistake() {
    await update({ spoken: false });
    send('no.such.event', { event_id: 'mine' });
    await until('error');
    say('still there');
    await answer();
  },
};

await until('session.created');
await SCENARIOS[scenario]();
rt.close();
