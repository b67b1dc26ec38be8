/** The conversation: one socket, one microphone, one loudspeaker, and what they make of each other. */

import { joined, outline, RATE_HZ, toBase64, wav } from "../audio/format";
import { SentAudio } from "../audio/history";
import { Microphone, MicrophoneError, type MicrophoneFault } from "../audio/microphone";
import type { PlaybackReport } from "../audio/playback-protocol";
import { Player } from "../audio/player";
import { Connection, type ConnectionState, type Fault } from "../realtime/connection";
import type { ClientEvent, ErrorObject, ServerEvent } from "../realtime/events";
import { Bubbles, type Bubble, type Clip } from "./bubbles.svelte";
import { Karaoke } from "./karaoke";
import { log } from "./log.svelte";
import { keepSettings, sessionOf, settings } from "./settings.svelte";
import { Turns } from "./turns.svelte";

export type Phase = "idle" | "connecting" | "listening" | "hearing" | "thinking" | "speaking" | "muted";

interface Speech {
  pieces: Int16Array<ArrayBuffer>[];
  karaoke: Karaoke;
  at: number;
}

const MOST_WAITING_BYTES = 2_000_000; // beyond that the network is too slow for sound, and old sound is of no use
const TRUNCATE_MARGIN_MS = 30;
const SEEDED = 40;

class Conversation {
  connection: ConnectionState = $state("idle");
  fault: Fault | null = $state(null);
  error: ErrorObject | null = $state(null);
  microphoneFault: MicrophoneFault | null = $state(null);
  microphoneOn = $state(false);
  held = $state(false);
  userSpeaks = $state(false);
  thinks = $state(false);
  playing = $state("");
  expires_s: number | null = $state(null);
  lamp: { on: boolean; colour: string } = $state({ on: false, colour: "white" });
  underruns = $state(0);

  readonly bubbles = new Bubbles();
  readonly turns = new Turns();
  /** The newest loudness of both sides, 0 to 1: for meters, which ask once a frame. */
  readonly level = { user: 0, assistant: 0 };

  readonly phase: Phase = $derived.by(() => {
    if (this.connection === "connecting" || this.connection === "reconnecting") return "connecting";
    if (this.userSpeaks || this.held) return "hearing";
    if (this.playing) return "speaking";
    if (this.thinks) return "thinking";
    if (this.microphoneOn) return "listening";
    return "idle";
  });

  private readonly link = new Connection({
    onState: (state, fault) => this.linked(state, fault),
    onEvent: (event) => this.received(event),
    onSessionLost: () => (this.seed = true),
  });
  private readonly microphone = new Microphone((piece) => this.captured(piece));
  private player: Player | undefined;
  private readonly sent = new SentAudio();
  private readonly speeches = new Map<string, Speech>();
  private readonly silenced = new Set<string>();
  private starts = new Map<string, number>();
  private told: Record<string, unknown> = {};
  private seed = false;
  private spokeAudio = false;
  private waiting: ClientEvent[] = [];
  private heldFrom_ms = 0;
  private truncating = "";

  constructor() {
    // Whoever leaves the page gives the place back at once; a page that is only reloaded begins anew.
    addEventListener("pagehide", () => this.rest());
  }

  // ---- what the user does

  /** Microphone on, and the conversation open. From a click or a key. */
  async listen(): Promise<void> {
    this.microphoneFault = null;
    this.error = null;
    this.ensureOpen();
    try {
      await this.loudspeaker().unlock();
      await this.microphone.start();
      this.microphoneOn = true;
    } catch (error) {
      this.microphoneFault = error instanceof MicrophoneError ? error.fault : "failed";
    }
  }

  async mute(): Promise<void> {
    this.microphoneOn = false;
    this.held = false;
    this.level.user = 0;
    await this.microphone.stop();
  }

  async press(): Promise<void> {
    if (this.held) return;
    this.held = true;
    if (!this.microphoneOn) await this.listen();
    if (!this.microphoneOn) this.held = false;
    if (!this.held) return;
    this.silence();
    if (this.thinks || this.speeches.size) this.send({ type: "response.cancel" }, false);
    this.send({ type: "input_audio_buffer.clear" });
    this.heldFrom_ms = this.sent.position_ms;
  }

  release(): void {
    if (!this.held) return;
    this.held = false;
    this.level.user = 0;
    if (this.sent.position_ms - this.heldFrom_ms < 200) return;
    this.send({ type: "input_audio_buffer.commit" });
    this.turns.asked("");
    this.thinks = true;
    this.send({ type: "response.create" });
  }

  async say(text: string): Promise<void> {
    this.error = null;
    this.ensureOpen();
    await this.loudspeaker().unlock();
    this.silence();
    if (this.thinks || this.playing) this.send({ type: "response.cancel" }, false);
    const content = [{ type: "input_text", text }];
    this.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
    this.turns.asked(text);
    this.thinks = true;
    this.send({ type: "response.create" });
  }

  /** Stop the reply: sound at once, and the server's work. */
  stop(): void {
    this.silence();
    this.send({ type: "response.cancel" }, false);
  }

  /** Nobody has said anything for long: the place is given back. The next word begins a session that is told what was said. */
  private rest(): void {
    this.link.close();
    this.connection = "idle";
  }

  async restart(): Promise<void> {
    this.link.close();
    this.silence();
    await this.mute();
    this.reset();
    this.connection = "idle";
    this.fault = this.error = null;
  }

  /** Give a call its output, as a person who plays the tool. */
  answerCall(bubble: Bubble, output: string): void {
    this.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: bubble.callId, output } });
    this.thinks = true;
    this.turns.asked(`${bubble.name}()`);
    this.send({ type: "response.create" });
  }

  /** The settings have changed. What cannot change in a session begins a new one, which is told what was said. */
  apply(): void {
    keepSettings();
    if (this.player) this.player.gain = settings.volume;
    if (this.connection !== "open") return;
    const next = sessionOf(settings);
    if (this.told["model"] !== settings.model || (this.spokeAudio && this.told["voice"] !== settings.voice)) return this.reopen();
    this.send({ type: "session.update", session: next });
    this.told = { model: settings.model, voice: settings.voice };
  }

  /** Another key, or the user wants to try again. */
  reopen(): void {
    this.fault = null;
    this.seed = this.bubbles.list.length > 0;
    this.silence();
    this.link.open(settings.model);
  }

  // ---- the socket

  private ensureOpen(): void {
    if (this.connection === "idle" || this.connection === "failed") this.reopen();
  }

  private send(event: ClientEvent, keep = true): void {
    const sent = this.link.send(event);
    if (sent) log.add("out", event);
    else if (keep && this.waiting.length < 50) this.waiting.push(event);
  }

  private linked(state: ConnectionState, fault?: Fault): void {
    if (state === "reconnecting" || state === "failed") this.userSpeaks = this.held = false;
    if (state === "failed") this.thinks = false;
    const resumed = state === "open" && this.connection === "reconnecting" && !this.seed;
    this.connection = state;
    this.fault = fault ?? null;
    if (resumed) this.flush(); // a new session is told its settings first: see `began`
  }

  private flush(): void {
    const events = this.waiting;
    this.waiting = [];
    for (const event of events) this.send(event);
  }

  private began(): void {
    this.sent.reset();
    this.starts.clear();
    this.spokeAudio = this.userSpeaks = false;
    this.expires_s = null;
    this.told = { model: settings.model, voice: settings.voice };
    this.send({ type: "session.update", session: sessionOf(settings) });
    if (this.seed) this.seedHistory();
    this.seed = false;
    this.flush();
  }

  /** A new session is told what was said in the one before. */
  private seedHistory(): void {
    const said = this.bubbles.list.filter((bubble) => bubble.role !== "tool" && bubble.text && bubble.status !== "live").slice(-SEEDED);
    for (const bubble of said) {
      const text = bubble.heard === null ? bubble.text : bubble.text.slice(0, bubble.heard);
      if (!text.trim()) continue;
      const part = bubble.role === "user" ? { type: "input_text", text } : { type: "text", text };
      this.send({ type: "conversation.item.create", item: { id: bubble.id, type: "message", role: bubble.role, content: [part] } });
    }
    this.thinks = false;
  }

  // ---- what the server says

  private received(event: ServerEvent): void {
    log.add("in", event);
    this.bubbles.receive(event);
    this.turns.receive(event);
    switch (event.type) {
      case "session.created":
        this.began();
        break;
      case "input_audio_buffer.speech_started":
        this.userSpeaks = true;
        this.starts.set(event.item_id ?? "", event.audio_start_ms ?? 0);
        if (settings.interrupt) this.silence();
        break;
      case "input_audio_buffer.speech_stopped":
        this.userSpeaks = false;
        this.thinks = true;
        this.keepUtterance(event.item_id, this.starts.get(event.item_id ?? ""), event.audio_end_ms ?? this.sent.position_ms);
        break;
      case "input_audio_buffer.committed":
        if (settings.mode === "push") this.keepUtterance(event.item_id, this.heldFrom_ms, this.sent.position_ms);
        break;
      case "conversation.item.deleted":
        this.thinks = false;
        break;
      case "conversation.item.truncated":
        if (event.item_id === this.truncating) this.send({ type: "conversation.item.retrieve", item_id: event.item_id });
        break;
      case "response.function_call_arguments.done":
        this.call(event);
        break;
      case "rate_limits.updated":
        this.expires_s = event.session?.expires_in_seconds ?? null;
        break;
      case "error":
        this.failed(event.error ?? {});
        break;
      default:
        this.heardReply(event);
    }
  }

  private heardReply(event: ServerEvent): void {
    switch (event.type) {
      case "response.created":
        this.thinks = true;
        break;
      case "response.audio.delta":
        this.play(event.item_id ?? "", event.delta ?? "");
        break;
      case "response.audio.done":
        this.speeches.get(event.item_id ?? "")?.karaoke.settle();
        if (!this.silenced.has(event.item_id ?? "")) this.player?.end(event.item_id ?? "");
        this.keepSpeech(event.item_id ?? "");
        break;
      case "response.text.delta":
        this.thinks = false;
        break;
      case "response.done": {
        this.thinks = false;
        const error = event.response?.status_details?.error;
        if (event.response?.status === "failed" && error) this.error = error;
        break;
      }
    }
  }

  private failed(error: ErrorObject): void {
    const harmless = ["response_cancel_not_active", "input_audio_buffer_commit_empty", "item_already_exists", "session_expired"];
    if (error.code && harmless.includes(error.code)) return;
    if (error.code === "cannot_update_voice") return this.reopen();
    if (error.code === "session_idle") return this.rest();
    this.thinks = false;
    this.error = error;
  }

  private call(event: ServerEvent): void {
    if (event.name !== "switch_lamp") return; // others are answered by hand
    let output = "The lamp is unchanged.";
    try {
      const { on, colour } = JSON.parse(event.arguments ?? "{}") as { on?: boolean; colour?: string };
      this.lamp = { on: on ?? true, colour: colour ?? this.lamp.colour };
      output = this.lamp.on ? `The lamp is on, its light is ${this.lamp.colour}.` : "The lamp is off.";
    } catch {
      output = "The arguments could not be read.";
    }
    this.send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: event.call_id, output } });
    this.send({ type: "response.create" });
  }

  // ---- sound

  private captured(piece: Int16Array<ArrayBuffer>): void {
    this.level.user = loudness(piece);
    const open = settings.mode !== "push" || this.held;
    if (!open || this.connection !== "open" || this.link.waiting_bytes > MOST_WAITING_BYTES) return;
    const event = { type: "input_audio_buffer.append", audio: toBase64(piece) };
    if (!this.link.send(event)) return;
    log.add("out", event);
    this.sent.push(piece);
  }

  private loudspeaker(): Player {
    if (!this.player) {
      this.player = new Player((report) => this.reported(report));
      this.player.gain = settings.volume;
    }
    return this.player;
  }

  private play(item: string, audio: string): void {
    this.spokeAudio = true;
    if (this.silenced.has(item)) return;
    let speech = this.speeches.get(item);
    if (!speech) this.speeches.set(item, (speech = { pieces: [], karaoke: new Karaoke(), at: performance.now() }));
    const samples = this.loudspeaker().push(item, audio);
    speech.pieces.push(samples);
    speech.karaoke.heardPiece(samples.length);
  }

  /** Barge-in: nothing of what is queued is played any more. */
  private silence(): void {
    this.player?.clear();
    for (const item of this.speeches.keys()) this.silenced.add(item);
    this.playing = "";
    this.level.assistant = 0;
  }

  private reported(report: PlaybackReport): void {
    const bubble = this.bubbles.find(report.item);
    switch (report.type) {
      case "started":
        if (this.silenced.has(report.item)) break;
        this.thinks = false;
        this.playing = report.item;
        this.turns.played(report.item, this.player?.latency_ms ?? 0);
        this.speechAt(report.item);
        break;
      case "at":
        this.level.assistant = this.playing ? report.level : 0;
        if (bubble && bubble.heard === null && this.playing) bubble.spoken = this.speeches.get(report.item)?.karaoke.at(bubble.text, report.played) ?? 0;
        break;
      case "underrun":
        this.underruns++;
        break;
      case "drained":
        this.level.assistant = 0;
        if (this.playing === report.item) this.playing = "";
        if (bubble && bubble.heard === null) bubble.spoken = bubble.text.length;
        this.forget(report.item);
        break;
      case "cleared":
        if (report.item) this.cut(report.item, report.played);
        for (const item of this.speeches.keys()) if (this.silenced.has(item)) this.forget(item);
        break;
    }
  }

  private speechAt(item: string): void {
    const speech = this.speeches.get(item);
    if (speech) speech.at = performance.now();
  }

  /** The server assumes that sound is played when it arrives; the page knows what was. */
  private cut(item: string, played: number): void {
    const played_ms = Math.max(0, Math.floor((played * 1000) / RATE_HZ) - TRUNCATE_MARGIN_MS);
    this.truncating = item;
    this.send({ type: "conversation.item.truncate", item_id: item, content_index: 0, audio_end_ms: played_ms }, false);
    this.keepSpeech(item, played);
    const bubble = this.bubbles.find(item);
    if (bubble) Object.assign(bubble, { status: "cut", heard: bubble.heard ?? bubble.spoken });
    this.forget(item);
  }

  private keepSpeech(item: string, played?: number): void {
    const speech = this.speeches.get(item);
    const bubble = this.bubbles.find(item);
    if (!speech || !bubble) return;
    const samples = joined(speech.pieces).subarray(0, played);
    if (samples.length) bubble.clip = clip(samples, speech.at);
  }

  private forget(item: string): void {
    this.speeches.delete(item);
    if (this.silenced.size > 200) this.silenced.delete(this.silenced.values().next().value ?? "");
  }

  private keepUtterance(item: string | undefined, start_ms: number | undefined, end_ms: number): void {
    if (start_ms === undefined) return;
    const samples = this.sent.cut(start_ms, end_ms);
    const bubble = this.bubbles.add(item ?? "", "user", { voiced: true });
    if (samples.length) bubble.clip = clip(samples, performance.now() - (samples.length * 1000) / RATE_HZ);
  }

  private reset(): void {
    this.bubbles.clear();
    this.turns.clear();
    this.speeches.clear();
    this.silenced.clear();
    this.sent.reset();
    this.waiting = [];
    this.thinks = this.userSpeaks = this.held = false;
    this.expires_s = null;
  }
}

function clip(samples: Int16Array<ArrayBuffer>, at: number): Clip {
  return { wav: wav([samples]), outline: outline(samples), duration_ms: (samples.length * 1000) / RATE_HZ, at };
}

function loudness(piece: Int16Array): number {
  let most = 0;
  for (const sample of piece) most = Math.max(most, Math.abs(sample));
  return most / 32768;
}

export const conversation = new Conversation();
