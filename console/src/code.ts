/** The page's set-up as programs. */

import { httpUrl, socketUrl } from "./api";
import { sessionOf, type Settings } from "./state/settings.svelte";

export type Example = { id: "python" | "javascript" | "curl"; label: string; language: "python" | "javascript" | "bash"; text: string };

/** JSON as a Python literal. */
function python(value: unknown, indent = 0): string {
  const pad = " ".repeat(indent + 4);
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const end = " ".repeat(indent);
  if (Array.isArray(value)) return value.length ? `[\n${value.map((x) => `${pad}${python(x, indent + 4)},\n`).join("")}${end}]` : "[]";
  return `{\n${Object.entries(value).map(([k, v]) => `${pad}${JSON.stringify(k)}: ${python(v, indent + 4)},\n`).join("")}${end}}`;
}

function pythonExample(settings: Settings, question: string): string {
  const url = socketUrl("v1/realtime", { model: settings.model, dialect: "stepfun" });
  return `# pip install websockets
import asyncio
import base64
import json
import os
import wave

from websockets.asyncio.client import connect

SESSION = ${python(sessionOf(settings))}


async def main():
    headers = {"Authorization": f"Bearer {os.environ.get('VIVAVOCE_KEY', 'unused')}"}
    url = ${JSON.stringify(url)}
    async with connect(url, additional_headers=headers, max_size=None) as socket:

        async def send(**event):
            await socket.send(json.dumps(event))

        await send(type="session.update", session=SESSION)
        content = [{"type": "input_text", "text": ${JSON.stringify(question)}}]
        await send(type="conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await send(type="response.create")
        sound = b""
        async for frame in socket:
            event = json.loads(frame)
            if event["type"] in ("response.text.delta", "response.audio_transcript.delta"):
                print(event["delta"], end="", flush=True)
            elif event["type"] == "response.audio.delta":
                sound += base64.b64decode(event["delta"])
            elif event["type"] == "error":
                print("error:", event["error"]["message"])
            elif event["type"] == "response.done":
                break
    print()
    if sound:
        with wave.open("reply.wav", "wb") as file:
            file.setparams((1, 2, 24_000, 0, "NONE", ""))
            file.writeframes(sound)


asyncio.run(main())
`;
}

function javascriptExample(settings: Settings, question: string): string {
  const url = socketUrl("v1/realtime", { model: settings.model, dialect: "stepfun" });
  return `// Node 22 or a browser
const key = globalThis.process?.env.VIVAVOCE_KEY ?? "unused"; // in a browser: a client secret
const session = ${JSON.stringify(sessionOf(settings), null, 2)};

const socket = new WebSocket(
  ${JSON.stringify(url)},
  ["realtime", \`openai-insecure-api-key.\${key}\`],
);
const send = (event) => socket.send(JSON.stringify(event));

socket.onopen = () => {
  const content = [{ type: "input_text", text: ${JSON.stringify(question)} }];
  send({ type: "session.update", session });
  send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  send({ type: "response.create" });
};

let text = "";
socket.onmessage = ({ data }) => {
  const event = JSON.parse(data);
  if (event.type === "response.text.delta" || event.type === "response.audio_transcript.delta") text += event.delta;
  if (event.type === "error") console.error(event.error.message);
  if (event.type === "response.done") {
    console.log(text);
    socket.close(1000);
  }
};
`;
}

/** For a shell: in single quotes, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function curlExample(settings: Settings, question: string): string {
  const { tools, instructions, temperature } = sessionOf(settings) as { tools: unknown[]; instructions: string; temperature: number };
  const messages = [...(instructions ? [{ role: "system", content: instructions }] : []), { role: "user", content: question }];
  const body = {
    model: settings.model,
    ...(settings.spoken ? { modalities: ["text", "audio"], audio: { voice: settings.voice || "qingchunshaonv", format: "wav" } } : {}),
    temperature,
    messages,
    ...(tools.length ? { tools } : {}),
  };
  return `curl -s ${quoted(httpUrl("v1/chat/completions"))} \\
  -H "Authorization: Bearer \${VIVAVOCE_KEY:-unused}" \\
  -H 'Content-Type: application/json' \\
  -d ${quoted(JSON.stringify(body, null, 2))}
`;
}

export function examples(settings: Settings, question: string): Example[] {
  return [
    { id: "python", label: "Python", language: "python", text: pythonExample(settings, question) },
    { id: "javascript", label: "JavaScript", language: "javascript", text: javascriptExample(settings, question) },
    { id: "curl", label: "curl", language: "bash", text: curlExample(settings, question) },
  ];
}
