/** What was said: a list of bubbles, changed by the server's events. No sound and no socket here. */

import type { Citation, Item, ServerEvent } from "../realtime/events";

export interface Clip {
  wav: Blob;
  outline: string;
  duration_ms: number;
  /** When it began, on the page's clock. */
  at: number;
}

export interface Bubble {
  id: string;
  role: "user" | "assistant" | "tool";
  text: string;
  /** `live`: being spoken or written; `cut`: interrupted. */
  status: "live" | "done" | "cut" | "failed";
  /** Of a reply that was cut: how many characters were heard. */
  heard: number | null;
  /** How far the voice has got in the text, in characters. */
  spoken: number;
  /** Whether there is sound of it. */
  voiced: boolean;
  thinking: string;
  thinkingDone: boolean;
  citations: Citation[];
  /** Of a call. */
  name: string;
  callId: string;
  output: string | null;
  clip: Clip | null;
  /** What was heard beside the words: mood, age, sounds. */
  traits: [string, string][];
  at: number;
}

export class Bubbles {
  list: Bubble[] = $state([]);

  find(id: string | undefined): Bubble | undefined {
    return this.list.findLast((bubble) => bubble.id === id);
  }

  add(id: string, role: Bubble["role"], more: Partial<Bubble> = {}): Bubble {
    const there = this.find(id);
    if (there) return there;
    this.list.push({
      id,
      role,
      text: "",
      status: "live",
      heard: null,
      spoken: 0,
      voiced: false,
      thinking: "",
      thinkingDone: false,
      citations: [],
      name: "",
      callId: "",
      output: null,
      clip: null,
      traits: [],
      at: performance.now(),
      ...more,
    });
    return this.list[this.list.length - 1] as Bubble; // the one that is watched, not the one that was put in
  }

  remove(id: string | undefined): void {
    this.list = this.list.filter((bubble) => bubble.id !== id);
  }

  clear(): void {
    this.list = [];
  }

  /** Change what an event changes. */
  receive(event: ServerEvent): void {
    const item = event.item;
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.add(event.item_id ?? "", "user", { voiced: true });
        break;
      case "conversation.item.created":
        if (item) this.created(item);
        break;
      case "conversation.item.input_audio_transcription.delta":
        this.with(event.item_id, (bubble) => (bubble.text = event.delta ?? ""));
        break;
      case "conversation.item.input_audio_transcription.completed":
        this.with(event.item_id, (bubble) => Object.assign(bubble, { text: event.transcript ?? "", status: "done" }));
        break;
      case "voice.perception":
        this.with(event.item_id, (bubble) => (bubble.traits = traitsOf(event)));
        break;
      case "conversation.item.input_audio_transcription.failed":
        this.with(event.item_id, (bubble) => (bubble.status = "failed"));
        break;
      case "conversation.item.deleted":
        this.remove(event.item_id);
        break;
      default:
        this.replied(event);
    }
  }

  private replied(event: ServerEvent): void {
    const item = event.item;
    switch (event.type) {
      case "response.output_item.added":
        if (item?.type === "message") this.add(item.id, "assistant");
        break;
      case "response.thinking.delta":
        this.with(event.item_id, (bubble) => (bubble.thinking += event.delta ?? ""));
        break;
      case "response.thinking.done":
        this.with(event.item_id, (bubble) => Object.assign(bubble, { thinking: event.thinking ?? bubble.thinking, thinkingDone: true }));
        break;
      case "response.text.delta":
        this.with(event.item_id, (bubble) => (bubble.text += event.delta ?? ""));
        break;
      case "response.audio_transcript.delta":
        this.with(event.item_id, (bubble) => Object.assign(bubble, { text: bubble.text + (event.delta ?? ""), voiced: true }));
        break;
      case "response.audio_transcript.done":
        this.with(event.item_id, (bubble) => said(bubble, event.transcript ?? ""));
        break;
      case "response.function_call_arguments.done":
        this.with(event.item_id, (bubble) => Object.assign(bubble, { text: event.arguments ?? "", status: "done" }));
        break;
      case "response.output_item.done":
        if (item) this.with(item.id, (bubble) => this.finished(bubble, item));
        break;
      case "conversation.item.retrieved":
        if (item?.role === "assistant") this.with(item.id, (bubble) => said(bubble, item.content?.map((part) => part.transcript ?? part.text ?? "").join("") ?? ""));
        break;
      case "conversation.item.truncated":
        this.with(event.item_id, (bubble) => Object.assign(bubble, { status: "cut", heard: bubble.heard ?? bubble.spoken }));
        break;
    }
  }

  private created(item: Item): void {
    const text = item.content?.map((part) => part.text ?? part.transcript ?? "").join("") ?? "";
    if (item.type === "function_call") {
      this.add(item.id, "tool", { name: item.name ?? "", callId: item.call_id ?? "", text: item.arguments ?? "" });
    } else if (item.type === "function_call_output") {
      const call = this.list.findLast((bubble) => bubble.callId === item.call_id);
      if (call) call.output = item.output ?? "";
    } else if (item.role === "user") {
      const voiced = item.content?.[0]?.type === "input_audio";
      const bubble = this.add(item.id, "user", { voiced });
      if (text) Object.assign(bubble, { text, status: "done" });
    } else if (item.role === "assistant" && item.status === "completed") {
      const bubble = this.add(item.id, "assistant");
      if (!bubble.text) Object.assign(bubble, { text, status: "done", spoken: text.length });
    }
  }

  private finished(bubble: Bubble, item: Item): void {
    bubble.citations = item.metadata?.citations ?? [];
    bubble.thinkingDone = true;
    if (item.type === "function_call") bubble.text = item.arguments ?? bubble.text;
    if (bubble.status === "live") bubble.status = item.status === "incomplete" ? "cut" : "done";
    if (!bubble.voiced) bubble.spoken = bubble.text.length;
  }

  private with(id: string | undefined, change: (bubble: Bubble) => unknown): void {
    const bubble = this.find(id);
    if (bubble) change(bubble);
  }
}

/** What the server holds of a reply: all of it, or the words that were heard. */
function said(bubble: Bubble, transcript: string): void {
  const whole = bubble.text.trimEnd();
  if (transcript.trim().length >= whole.length) {
    bubble.text = transcript;
    return;
  }
  bubble.status = "cut";
  bubble.heard = whole.startsWith(transcript.trimEnd()) ? transcript.trimEnd().length : Math.min(transcript.length, whole.length);
}

const PERCEIVED = ["emotion", "arousal", "cues", "sounds", "kinds", "gender", "language"] as const;

/** What `voice.perception` tells, in a few words each; the note is what the language model was told. */
function traitsOf(event: ServerEvent): [string, string][] {
  const traits = PERCEIVED.flatMap((name): [string, string][] => {
    const words = inWords(event[name]);
    return words ? [[name, words]] : [];
  });
  return typeof event["note"] === "string" ? [...traits, ["note", event["note"]]] : traits;
}

/** `{label, score}` is "sad 96 %"; a list names what is in it. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).filter(Boolean).join(", ");
  if (typeof value === "number") return value.toFixed(2);
  if (typeof value !== "object" || value === null) return value ? String(value) : "";
  const { label, name, score } = value as { label?: unknown; name?: unknown; score?: unknown };
  const percent = typeof score === "number" ? ` ${Math.round(score * 100)} %` : "";
  return label || name ? `${String(label ?? name)}${percent}` : "";
}
