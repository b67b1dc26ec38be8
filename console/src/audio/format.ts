/** Samples and their encodings: PCM16 at 24 kHz is what the socket carries. */

export const RATE_HZ = 24_000;

/** Signed 16 bit, little-endian, as base64. */
export function toBase64(samples: Int16Array): string {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export function fromBase64(text: string): Int16Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length - (binary.length % 2));
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return new Int16Array(bytes.buffer);
}

/** In [-1, 1). */
export function toFloat(samples: Int16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples.length);
  for (let at = 0; at < samples.length; at++) out[at] = (samples[at] ?? 0) / 32768;
  return out;
}

export function joined(pieces: readonly Int16Array[]): Int16Array<ArrayBuffer> {
  const out = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** A wav file of one or more channels of equal length. */
export function wav(channels: readonly Int16Array[], rate_hz = RATE_HZ): Blob {
  const count = channels.length;
  const frames = channels[0]?.length ?? 0;
  const header = new DataView(new ArrayBuffer(44));
  const ascii = (at: number, text: string) => [...text].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  ascii(0, "RIFF");
  header.setUint32(4, 36 + frames * count * 2, true);
  ascii(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, count, true);
  header.setUint32(24, rate_hz, true);
  header.setUint32(28, rate_hz * count * 2, true);
  header.setUint16(32, count * 2, true);
  header.setUint16(34, 16, true);
  ascii(36, "data");
  header.setUint32(40, frames * count * 2, true);
  const data = new Int16Array(frames * count);
  channels.forEach((channel, c) => {
    for (let at = 0; at < frames; at++) data[at * count + c] = channel[at] ?? 0;
  });
  return new Blob([header.buffer, data.buffer], { type: "audio/wav" });
}

/** The samples of a mono wav file that `wav` has made. */
export async function samplesOf(file: Blob): Promise<Int16Array<ArrayBuffer>> {
  return new Int16Array(await file.slice(44).arrayBuffer());
}

export const OUTLINE_BARS = 44;

/** A small picture of the sound: a path of bars, 3 units apart in a box 24 units high, as tall as the sound is loud. */
export function outline(samples: Int16Array): string {
  const step = Math.max(1, Math.floor(samples.length / OUTLINE_BARS));
  const bars = Array.from({ length: OUTLINE_BARS }, (_, bar) => {
    let sum = 0;
    let count = 0;
    for (let at = bar * step; at < Math.min((bar + 1) * step, samples.length); at += 4) {
      sum += ((samples[at] ?? 0) / 32768) ** 2;
      count++;
    }
    const tall = Math.max(2, Math.min(1, Math.sqrt(sum / Math.max(1, count)) * 5) * 22);
    return `M${bar * 3 + 1} ${(12 - tall / 2).toFixed(1)}v${tall.toFixed(1)}`;
  });
  return bars.join("");
}
