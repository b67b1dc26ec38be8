// OpenAI's Agents SDK for JavaScript in one conversation: a call, an interruption by the application, one by the user.
// node agents.mjs URL MODEL; prints one JSON object: what was said and done, and what the SDK counted.
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';

const [url, model] = process.argv.slice(2);
const STORY = 'once upon a time '.repeat(20);

const lamp = tool({
  name: 'lamp',
  description: 'Switches the lamp.',
  parameters: z.object({ on: z.boolean() }),
  execute: async ({ on }) => `the lamp is ${on ? 'on' : 'off'}`,
});
const agent = new RealtimeAgent({ name: 'Agent', instructions: 'Be brief.', tools: [lamp] });
const transport = new OpenAIRealtimeWebSocket({ url: `${url}?model=${model}`, useInsecureApiKey: true });
const session = new RealtimeSession(agent, { transport, model, tracingDisabled: true });

const events = [];
const errors = [];
let pieces = 0;
let wake = () => {};
session.on('transport_event', (event) => { events.push(event); wake(); });
session.on('error', (error) => errors.push(error));
session.on('audio', () => { pieces += 1; wake(); });

async function when(condition) {
  while (!condition()) await new Promise((resolve) => { wake = resolve; });
}

const count = (type) => events.filter((event) => event.type === type).length;

async function more(type, number = 1) {
  const wanted = count(type) + number;
  await when(() => count(type) >= wanted);
}

function tone(ms) {
  const samples = new Int16Array(24 * ms);
  for (let at = 0; at < samples.length; at += 1) samples[at] = Math.sin(at / 10) * 16000;
  return samples.buffer;
}

async function heardFor(ms) { // until the first audio of a reply, and then for so long
  const before = pieces;
  await when(() => pieces > before);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

await session.connect({ apiKey: 'unused' });

session.sendMessage('call lamp {"on": true}');
await more('response.done', 2); // the call, and what is said of its output

session.sendMessage(STORY);
await heardFor(500);
const truncated = more('conversation.item.truncated');
session.interrupt();
await truncated;
const afterInterrupt = pieces;

session.sendMessage(STORY);
await heardFor(500);
session.sendAudio(tone(600));
await more('input_audio_buffer.speech_started');
const both = more('response.done', 2); // the story's, and the answer's
session.sendAudio(new ArrayBuffer(48 * 1500));
await both;

const words = (item) => item.content?.map((part) => part.text ?? part.transcript ?? null).join('') ?? null;
console.log(JSON.stringify({
  history: session.history.map((item) => [item.role ?? item.type, words(item) ?? item.output]),
  statuses: events.filter((event) => event.type === 'response.done').map((event) => event.response.status),
  errors: [...errors, ...events.filter((event) => event.type === 'error')],
  usage: { input: session.usage.inputTokens, output: session.usage.outputTokens, total: session.usage.totalTokens },
  audioTokens: session.usage.outputTokensDetails.map((details) => details.audio_tokens),
  afterInterrupt,
}));
session.close();
process.exit(0);
