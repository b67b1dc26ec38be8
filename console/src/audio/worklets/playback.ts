/**
 * Speech that arrives in pieces, played without gaps: a jitter buffer that waits until enough is there, and for longer after it
 * ran dry. `clear` falls silent within 3 ms.
 */

import type { PlaybackMessage, PlaybackReport } from "../playback-protocol";

const FIRST_WAIT = 0.08 * sampleRate;
const MOST_WAIT = 0.4 * sampleRate;
const FADE = 64;
const REPORT_EVERY = 512; // samples: 21 ms

interface Piece {
  item: string;
  samples: Float32Array;
}

class Playback extends AudioWorkletProcessor {
  private queue: Piece[] = [];
  private offset = 0;
  private queued = 0;
  private wait = FIRST_WAIT;
  private playing = false;
  private item = "";
  private played = 0;
  private readonly ended = new Set<string>();
  private fading = 0;
  private level = 0;
  private unreported = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PlaybackMessage>) => this.told(data);
  }

  private told(message: PlaybackMessage): void {
    switch (message.type) {
      case "push":
        this.queue.push({ item: message.item, samples: message.samples });
        this.queued += message.samples.length;
        break;
      case "end":
        this.ended.add(message.item);
        if (!this.queue.some((piece) => piece.item === message.item) && this.item === message.item) this.drained();
        break;
      case "clear":
        this.report({ type: "cleared", item: this.item, played: this.played });
        this.fading = this.playing ? FADE : 0;
        if (!this.fading) this.drop();
        break;
    }
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (!out) return true;
    const first = this.queue[0];
    if (!this.playing && first && (this.queued >= this.wait || this.ended.has(first.item))) this.playing = true;
    if (this.playing) this.fill(out);
    this.unreported += out.length;
    if (this.unreported >= REPORT_EVERY && (this.playing || this.level > 0)) {
      this.report({ type: "at", item: this.item, played: this.played, queued: this.queued, level: this.level });
      this.level = this.unreported = 0;
    }
    return true;
  }

  private fill(out: Float32Array): void {
    for (let at = 0; at < out.length; at++) {
      const piece = this.queue[0];
      if (!piece) return this.ranDry();
      if (piece.item !== this.item) this.begin(piece.item);
      let sample = piece.samples[this.offset++] ?? 0;
      if (this.fading) {
        sample *= --this.fading / FADE;
        if (!this.fading) return this.drop();
      }
      out[at] = sample;
      this.level = Math.max(this.level, Math.abs(sample));
      this.played++;
      this.queued--;
      if (this.offset >= piece.samples.length) {
        this.offset = 0;
        this.queue.shift();
        if (this.ended.has(piece.item) && this.queue[0]?.item !== piece.item) this.drained();
      }
    }
  }

  private begin(item: string): void {
    this.item = item;
    this.played = 0;
    this.report({ type: "started", item });
  }

  private ranDry(): void {
    this.playing = false;
    if (this.ended.has(this.item) || !this.item) return;
    this.wait = Math.min(MOST_WAIT, this.wait * 1.5);
    this.report({ type: "underrun", item: this.item });
  }

  private drained(): void {
    this.report({ type: "drained", item: this.item, played: this.played });
    this.ended.delete(this.item);
    this.item = "";
    this.wait = Math.max(FIRST_WAIT, this.wait * 0.9);
  }

  private drop(): void {
    this.queue = [];
    this.queued = this.offset = this.fading = this.played = 0;
    this.playing = false;
    this.item = "";
    this.ended.clear();
  }

  private report(report: PlaybackReport): void {
    this.port.postMessage(report);
  }
}

registerProcessor("playback", Playback);
