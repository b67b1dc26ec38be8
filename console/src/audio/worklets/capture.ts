/** The microphone, as pieces of 20 ms of PCM16 at 24 kHz. */

import { Resampler } from "./resampler";

const PIECE = 480;

class Capture extends AudioWorkletProcessor {
  private readonly resampler = new Resampler(sampleRate, 24_000);
  private pending: number[] = [];

  process(inputs: Float32Array[][]): boolean {
    const samples = inputs[0]?.[0];
    if (samples) this.pending.push(...this.resampler.push(samples));
    while (this.pending.length >= PIECE) {
      const piece = new Int16Array(PIECE);
      this.pending.splice(0, PIECE).forEach((x, at) => (piece[at] = Math.max(-1, Math.min(1, x)) * 32767));
      this.port.postMessage(piece, [piece.buffer]);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
