/** Where the time of each turn went: the server's own marks, and when the browser got and played what came of them. */

import type { Marks, ServerEvent, Usage } from "../realtime/events";

export interface Turn {
  n: number;
  kind: "voice" | "text";
  text: string;
  reply: string;
  responseId: string;
  status: "running" | "completed" | "cancelled" | "failed" | "incomplete";
  /** On the browser's clock: the end of the turn as the browser knows it; all below are ms after it. */
  zero: number;
  marks: Marks;
  transcript: number | null;
  words: number | null;
  audio: number | null;
  played: number | null;
  done: number | null;
  usage: Usage | null;
}

const KEPT = 200;

export class Turns {
  list: Turn[] = $state([]);
  private n = 0;
  private endpoint: { at: number; text: string; transcript: number | null } | null = null;
  private readonly items = new Map<string, Turn>();

  clear(): void {
    this.list = [];
    this.items.clear();
    this.endpoint = null;
  }

  /** The user has sent a text, or let go of the button. */
  asked(text: string): void {
    this.endpoint = { at: performance.now(), text, transcript: null };
  }

  /** The first sample of an item leaves the loudspeaker in `latency_ms`. */
  played(item: string, latency_ms: number): void {
    const turn = this.items.get(item);
    if (turn && turn.played === null) turn.played = performance.now() - turn.zero + latency_ms;
  }

  receive(event: ServerEvent): void {
    const now = performance.now();
    switch (event.type) {
      case "input_audio_buffer.speech_stopped":
        this.endpoint = { at: now, text: "", transcript: null };
        break;
      case "conversation.item.input_audio_transcription.completed":
        this.transcribed(event.transcript ?? "", now);
        break;
      case "response.created":
        this.begin(event.response?.id ?? "", now);
        break;
      case "response.output_item.added":
        if (event.item && event.response_id) this.belongs(event.item.id, event.response_id);
        break;
      case "response.text.delta":
      case "response.audio_transcript.delta":
        this.first(event.item_id, "words", now);
        break;
      case "response.audio.delta":
        this.first(event.item_id, "audio", now);
        break;
      case "response.done":
        if (event.response) this.end(event, now);
        break;
    }
  }

  private transcribed(text: string, now: number): void {
    if (this.endpoint) Object.assign(this.endpoint, { text, transcript: now - this.endpoint.at });
    const turn = this.list.at(-1);
    if (turn?.status === "running" && !turn.text) Object.assign(turn, { text, transcript: now - turn.zero });
  }

  private begin(responseId: string, now: number): void {
    const { at, text, transcript } = this.endpoint ?? { at: now, text: "", transcript: null };
    this.endpoint = null;
    const kind = transcript === null && text ? "text" : "voice";
    const zeros = { words: null, audio: null, played: null, done: null, usage: null };
    this.list.push({ n: ++this.n, kind, text, reply: "", responseId, status: "running", zero: at, marks: {}, transcript, ...zeros });
    if (this.list.length > KEPT) this.list.shift();
  }

  private belongs(item: string, responseId: string): void {
    const turn = this.list.findLast((other) => other.responseId === responseId);
    if (turn) this.items.set(item, turn);
    if (this.items.size > KEPT * 2) this.items.delete(this.items.keys().next().value ?? "");
  }

  private first(item: string | undefined, field: "words" | "audio", now: number): void {
    const turn = this.items.get(item ?? "");
    if (turn && turn[field] === null) turn[field] = now - turn.zero;
  }

  private end(event: ServerEvent, now: number): void {
    const response = event.response;
    const turn = this.list.findLast((other) => other.responseId === response?.id);
    if (!turn || !response) return;
    turn.status = response.status as Turn["status"];
    turn.marks = response.marks ?? {};
    turn.usage = response.usage ?? null;
    turn.done = now - turn.zero;
    turn.reply = (response.output ?? []).flatMap((item) => item.content ?? []).map((part) => part.transcript ?? part.text ?? "").join(" ");
  }
}
