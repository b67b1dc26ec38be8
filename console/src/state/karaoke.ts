/**
 * Which character is being spoken. The protocol brings the words ahead of their sound and does not say where a word lies in it, so
 * the place is estimated: each character takes its share of the time, pauses at punctuation included; when all sound of a reply is
 * there its length settles the pace exactly. Each reply starts anew, so nothing adds up.
 */

import { RATE_HZ } from "../audio/format";

const PAUSE: Record<string, number> = { ",": 3, ";": 4, ":": 3, ".": 7, "!": 7, "?": 7, "，": 1.4, "、": 1, "；": 1.6, "：": 1.2, "。": 2.2, "！": 2.2, "？": 2.2, "\n": 4 };
const INNER = /[A-Za-z\u00c0-\u024f\u0400-\u04ff'’\d]{2}/;
const WIDE = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;

const FIRST_PACE = 15; // Latin characters a second
const WIDE_WEIGHT = 3.4; // a Chinese character takes as long as so many of them

export class Karaoke {
  private samples = 0;
  private complete = false;
  private static pace = FIRST_PACE;

  heardPiece(count: number): void {
    this.samples += count;
  }

  /** No more sound will come. */
  settle(): void {
    this.complete = true;
  }

  /** Characters spoken after so many samples. */
  at(text: string, played: number): number {
    const weights = [...text].map(weight);
    const total = weights.reduce((sum, x) => sum + x, 0);
    if (this.complete && this.samples > 0) Karaoke.pace = Math.max(4, Math.min(60, (total * RATE_HZ) / this.samples));
    let left = this.complete && this.samples > 0 ? (total * played) / this.samples : (Karaoke.pace * played) / RATE_HZ;
    let index = 0;
    for (const character of text) {
      left -= weight(character);
      if (left < 0) break;
      index += character.length;
    }
    while (index > 0 && INNER.test(text.slice(index - 1, index + 1))) index++; // whole words, where there are words
    return index;
  }
}

function weight(character: string): number {
  if (PAUSE[character] !== undefined) return 1 + PAUSE[character];
  return WIDE.test(character) ? WIDE_WEIGHT : 1;
}
