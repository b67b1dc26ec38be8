// openai-node over HTTP: node http.mjs BASE_URL; prints one JSON object with what each request gave.
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'unused', maxRetries: 0 });
const lamp = {
  type: 'function',
  name: 'lamp',
  parameters: {
    type: 'object',
    properties: { on: { type: 'boolean' } },
    required: ['on'],
    additionalProperties: false,
  },
  strict: true,
};
const found = {};

const response = await client.responses.create({ model: 'gpt-4o', input: 'Good morning.' });
found.text = response.output_text;
const stream = client.responses.stream({ model: 'gpt-4o', input: 'And you?', previous_response_id: response.id });
found.events = [];
for await (const event of stream) {
  if (found.events.at(-1) !== event.type) found.events.push(event.type);
}
found.streamed = (await stream.finalResponse()).output_text;

const called = await client.responses.create({ model: 'gpt-4o', input: 'call lamp {"on": true}', tools: [lamp] });
found.call = called.output[0];
const output = { type: 'function_call_output', call_id: found.call.call_id, output: 'The lamp is on.' };
const told = await client.responses.create({ model: 'gpt-4o', input: [output], previous_response_id: called.id });
found.told = told.output_text;

const embeddings = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a ferry', 'a fox'] });
found.dimensions = embeddings.data.map((one) => one.embedding.length);
const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hi.', response_format: 'wav' });
found.speech = Buffer.from(await speech.arrayBuffer()).toString('latin1', 0, 4);
found.refusal = await client.responses
  .create({ model: 'gpt-4o', input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:,' }] }] })
  .then(() => null, (error) => ({ status: error.status, code: error.code, param: error.param }));

console.log(JSON.stringify(found));
