/** A turn's marks as bars. Times are ms after the end of the turn (`speech_end` lies before it). */

import type { MessageKey } from "../i18n/messages";
import type { Turn } from "./turns.svelte";

export interface Bar {
  key: MessageKey;
  from: number;
  to: number;
  clock: "server" | "browser";
}

/** Each server stage begins where the one before was reached; the browser's begin where the server's last mark lies. */
export function barsOf(turn: Turn): Bar[] {
  const { marks } = turn;
  const bars: Bar[] = [];
  let at = 0;
  const stage = (key: MessageKey, to: number | undefined) => {
    if (to === undefined) return;
    bars.push({ key, from: Math.min(at, to), to: Math.max(at, to), clock: "server" });
    at = Math.max(at, to);
  };
  if (marks.speech_end !== undefined) bars.push({ key: "stEndpoint", from: marks.speech_end, to: 0, clock: "server" });
  stage("stTranscript", marks.transcript);
  stage("stToken", marks.first_token);
  stage("stClause", marks.first_clause);
  stage("stAudio", marks.first_audio);
  stage("stSent", marks.first_sent);
  const browser = (key: MessageKey, to: number | null) => {
    if (to === null) return;
    bars.push({ key, from: Math.min(at, to), to, clock: "browser" });
    at = Math.max(at, to);
  };
  if (turn.audio === null) browser("stWords", turn.words);
  else if (marks.first_sent === undefined) browser("stWords", turn.words);
  browser("stReceived", turn.audio);
  browser("stPlayed", turn.played);
  if (turn.audio === null) browser("stDone", turn.done);
  return bars;
}

/** From the end of speech to the first sound, or to the first words of a reply that is only written; `null` while it is not there. */
export function answered_ms(turn: Turn): number | null {
  const end = turn.played ?? turn.audio ?? turn.words;
  return end === null ? null : end - (turn.marks.speech_end ?? 0);
}
