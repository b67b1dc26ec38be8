/** socket → playback: what the assistant says, through the worklet with the jitter buffer. */

import { fromBase64, RATE_HZ, toFloat } from "./format";
import type { PlaybackMessage, PlaybackReport } from "./playback-protocol";
import workletUrl from "./worklets/playback?worker&url";

export class Player {
  private readonly context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
  private readonly volume = this.context.createGain();
  private readonly node: Promise<AudioWorkletNode>;

  constructor(onReport: (report: PlaybackReport) => void) {
    this.volume.connect(this.context.destination);
    this.node = this.context.audioWorklet.addModule(workletUrl).then(() => {
      const node = new AudioWorkletNode(this.context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
      node.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) => onReport(data);
      node.connect(this.volume);
      return node;
    });
  }

  /** Browsers start no sound by themselves: call it from a click or a key. */
  async unlock(): Promise<void> {
    if (this.context.state !== "running") await this.context.resume();
  }

  /** Between a sample leaving the worklet and being heard, in ms. */
  get latency_ms(): number {
    return (this.context.outputLatency || this.context.baseLatency || 0) * 1000;
  }

  /** Queue a piece of an item; returns its samples. */
  push(item: string, audio: string): Int16Array<ArrayBuffer> {
    const samples = fromBase64(audio);
    const floats = toFloat(samples);
    this.tell({ type: "push", item, samples: floats }, [floats.buffer]);
    return samples;
  }

  /** No more pieces of this item will come. */
  end(item: string): void {
    this.tell({ type: "end", item });
  }

  /** Fall silent, and forget what is queued. A report `cleared` says how far the item had got. */
  clear(): void {
    this.tell({ type: "clear" });
  }

  set gain(value: number) {
    this.volume.gain.setTargetAtTime(value, this.context.currentTime, 0.01);
  }

  private tell(message: PlaybackMessage, transfer: Transferable[] = []): void {
    void this.node.then((node) => node.port.postMessage(message, transfer));
  }
}
