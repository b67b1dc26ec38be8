/** What the user takes home: the conversation as JSON, and as a wav with the user on the left and the assistant on the right. */

import { RATE_HZ, samplesOf, wav } from "../audio/format";
import type { Bubble } from "./bubbles.svelte";
import { conversation } from "./conversation.svelte";
import { log } from "./log.svelte";
import { sessionOf, settings } from "./settings.svelte";

export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function stamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
}

export function conversationAsJson(): Blob {
  const items = conversation.bubbles.list.map(({ clip, traits, ...bubble }) => ({
    ...bubble,
    text: bubble.text,
    heardText: bubble.heard === null ? bubble.text : bubble.text.slice(0, bubble.heard),
    traits: Object.fromEntries(traits),
    audio: clip ? { at_ms: Math.round(clip.at), duration_ms: Math.round(clip.duration_ms) } : null,
  }));
  const whole = {
    saved_at: new Date().toISOString(),
    model: settings.model,
    session: sessionOf(settings),
    items,
    turns: $state.snapshot(conversation.turns.list),
    events: log.entries.map(({ at, direction, count, event }) => ({ at_ms: Math.round(at), direction, count, event })),
  };
  return new Blob([JSON.stringify(whole, null, 2)], { type: "application/json" });
}

/** `undefined` when there is no sound. */
export async function conversationAsWav(): Promise<Blob | undefined> {
  const voiced = conversation.bubbles.list.filter((bubble): bubble is Bubble & { clip: NonNullable<Bubble["clip"]> } => bubble.clip !== null);
  if (!voiced.length) return undefined;
  const begin = Math.min(...voiced.map(({ clip }) => clip.at));
  const end = Math.max(...voiced.map(({ clip }) => clip.at + clip.duration_ms));
  const frames = Math.ceil(((end - begin) * RATE_HZ) / 1000);
  const sides = { user: new Int16Array(frames), assistant: new Int16Array(frames) };
  for (const { role, clip } of voiced) {
    if (role === "tool") continue;
    const at = Math.round(((clip.at - begin) * RATE_HZ) / 1000);
    sides[role].set((await samplesOf(clip.wav)).subarray(0, frames - at), at);
  }
  return wav([sides.user, sides.assistant]);
}
