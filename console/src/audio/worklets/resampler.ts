/** Band-limited conversion of a stream from one sample rate to a lower (or equal, or higher) one. */

const HALF_WIDTH = 16; // zero crossings on each side of the kernel
const PHASES = 128;

export class Resampler {
  private readonly step: number;
  private readonly reach: number;
  private readonly kernel: Float32Array;
  private held = new Float32Array(0);
  private position: number;

  constructor(from_hz: number, to_hz: number) {
    this.step = from_hz / to_hz;
    const cutoff = Math.min(1, to_hz / from_hz) * 0.95;
    this.reach = Math.ceil(HALF_WIDTH / cutoff);
    this.position = this.reach;
    this.held = new Float32Array(this.reach);
    this.kernel = new Float32Array((2 * this.reach + 1) * PHASES + 1);
    for (let at = 0; at < this.kernel.length; at++) {
      const x = at / PHASES - this.reach;
      const window = Math.abs(x) >= this.reach ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * x) / this.reach);
      const angle = Math.PI * x * cutoff;
      this.kernel[at] = window * cutoff * (angle === 0 ? 1 : Math.sin(angle) / angle);
    }
  }

  /** What can be made of all samples so far; the rest is kept. */
  push(samples: Float32Array): number[] {
    const input = new Float32Array(this.held.length + samples.length);
    input.set(this.held);
    input.set(samples, this.held.length);
    const out: number[] = [];
    while (this.position + this.reach + 1 < input.length) {
      out.push(this.at(input, this.position));
      this.position += this.step;
    }
    const drop = Math.max(0, Math.floor(this.position) - this.reach);
    this.held = input.slice(drop);
    this.position -= drop;
    return out;
  }

  private at(input: Float32Array, position: number): number {
    const first = Math.ceil(position - this.reach);
    const last = Math.floor(position + this.reach);
    let sum = 0;
    for (let at = first; at <= last; at++) {
      const phase = Math.round((at - position + this.reach) * PHASES);
      sum += (input[at] ?? 0) * (this.kernel[phase] ?? 0);
    }
    return sum;
  }
}
