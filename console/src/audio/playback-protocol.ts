/** What the page and its playback worklet tell each other. Positions are samples at 24 kHz, of the item. */

export type PlaybackMessage =
  | { type: "push"; item: string; samples: Float32Array<ArrayBuffer> }
  | { type: "end"; item: string }
  | { type: "clear" };

export type PlaybackReport =
  | { type: "started"; item: string }
  | { type: "at"; item: string; played: number; queued: number; level: number }
  | { type: "underrun"; item: string }
  | { type: "drained"; item: string; played: number }
  | { type: "cleared"; item: string; played: number };
