/** The newest of what was sent to the server, by position, so that an utterance can be cut out when the server has bounded it. */

import { joined, RATE_HZ } from "./format";

const KEPT_MS = 150_000;

export class SentAudio {
  private pieces: Int16Array<ArrayBuffer>[] = [];
  private first = 0;
  private total = 0;

  push(piece: Int16Array<ArrayBuffer>): void {
    this.pieces.push(piece);
    this.total += piece.length;
    while (this.total - this.first > (KEPT_MS * RATE_HZ) / 1000) this.first += this.pieces.shift()?.length ?? 0;
  }

  get position_ms(): number {
    return (this.total * 1000) / RATE_HZ;
  }

  /** The positions count from the session's begin; another session begins anew. */
  reset(): void {
    this.pieces = [];
    this.first = this.total = 0;
  }

  cut(start_ms: number, end_ms: number): Int16Array<ArrayBuffer> {
    const all = joined(this.pieces);
    const at = (ms: number) => Math.max(0, Math.round((ms * RATE_HZ) / 1000) - this.first);
    return all.slice(at(start_ms), at(end_ms));
  }
}
