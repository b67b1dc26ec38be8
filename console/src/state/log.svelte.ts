/** Every event of the socket, both ways, the newest 5000; of audio only how much it was. */

export type Direction = "out" | "in";

export interface LogEntry {
  n: number;
  at: number;
  direction: Direction;
  type: string;
  event: Record<string, unknown>;
  /** How many like it came in a row, of events that come many times a second. */
  count: number;
}

const KEPT = 5000;
const AUDIO = new Set(["input_audio_buffer.append", "response.audio.delta"]);

class EventLog {
  entries = $state.raw<LogEntry[]>([]);
  private n = 0;
  private pending: LogEntry[] = [];
  private scheduled = false;

  add(direction: Direction, event: Record<string, unknown> & { type: string }): void {
    const shown = AUDIO.has(event.type) ? withoutAudio(event) : withoutToken(event);
    const last = this.pending.at(-1) ?? this.entries.at(-1);
    if (last && AUDIO.has(event.type) && last.type === event.type && performance.now() - last.at < 1000) {
      last.count++;
      return;
    }
    this.pending.push({ n: ++this.n, at: performance.now(), direction, type: event.type, event: shown, count: 1 });
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => this.flush(), 120); // one change of the page for a burst of events
  }

  clear(): void {
    this.entries = [];
    this.pending = [];
  }

  private flush(): void {
    this.scheduled = false;
    this.entries = [...this.entries, ...this.pending].slice(-KEPT);
    this.pending = [];
  }
}

/** Whoever has the token can take the session up: it is not for a file that is passed on. */
function withoutToken(event: Record<string, unknown>): Record<string, unknown> {
  const session = event["session"];
  if (typeof session !== "object" || session === null || !("resume_token" in session)) return event;
  return { ...event, session: { ...session, resume_token: "…" } };
}

function withoutAudio(event: Record<string, unknown>): Record<string, unknown> {
  const field = "audio" in event ? "audio" : "delta";
  const bytes = Math.floor((String(event[field]).length * 3) / 4);
  return { ...event, [field]: `<${bytes} bytes, ${Math.round(bytes / 48)} ms>` };
}

export const log = new EventLog();
