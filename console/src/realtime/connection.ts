/**
 * One conversation's socket. When it breaks it comes back by itself: it resumes the session where the server still has it, and
 * else says that the session is lost, so that a new one can be begun and told what was said.
 */

import { api, ApiError, keys, socketUrl } from "../api";
import type { ClientEvent, ServerEvent } from "./events";

export type ConnectionState = "idle" | "connecting" | "open" | "reconnecting" | "failed";
export type Fault = { kind: "key" | "loading" | "full" | "unreachable" | "refused" | "ended"; message: string };

interface Listener {
  onState(state: ConnectionState, fault?: Fault): void;
  onEvent(event: ServerEvent): void;
  /** A new session has begun in place of one that could not be resumed. */
  onSessionLost(): void;
}

/** What a sub-protocol may be made of; a key with other characters is exchanged for a client secret. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/;

/** Quick at first, for a connection that broke; then for as long as a server takes to start. About a minute in all. */
const PAUSES_MS = [250, 500, ...Array<number>(15).fill(1000), ...Array<number>(22).fill(2000)];

export class Connection {
  private socket: WebSocket | undefined;
  private token: string | undefined;
  private last: string | undefined;
  private model = "";
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;

  constructor(private readonly listener: Listener) {}

  open(model: string): void {
    this.close();
    this.model = model;
    this.wanted = true;
    this.attempt = 0;
    this.token = this.last = undefined;
    this.listener.onState("connecting");
    void this.connect();
  }

  close(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.drop(1000);
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** How much waits to be sent, in bytes. */
  get waiting_bytes(): number {
    return this.socket?.bufferedAmount ?? 0;
  }

  send(event: ClientEvent): boolean {
    if (!this.isOpen) return false;
    this.socket?.send(JSON.stringify(event));
    return true;
  }

  private async connect(): Promise<void> {
    let credential = keys.value;
    try {
      if (!TOKEN.test(credential)) credential = await clientSecret();
    } catch {
      credential = ""; // the refusal of the socket says why
    }
    if (!this.wanted) return;
    const query: Record<string, string> = this.token
      ? { resume: this.token, ...(this.last ? { after: this.last } : {}), marks: "1" }
      : { model: this.model, dialect: "stepfun", resumable: "1", marks: "1" };
    const protocols = credential ? ["realtime", `openai-insecure-api-key.${credential}`] : ["realtime"];
    const socket = new WebSocket(socketUrl("v1/realtime", query), protocols);
    let opened = false;
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      if (this.token) this.up();
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => this.received(JSON.parse(data) as ServerEvent);
    socket.onclose = ({ code, reason }) => {
      if (this.socket === socket) void this.closed(opened, code, reason);
    };
  }

  private received(event: ServerEvent): void {
    this.last = event.event_id;
    if (event.type === "session.created") {
      this.token = event.session?.resume_token;
      this.up();
    }
    this.listener.onEvent(event);
  }

  private up(): void {
    this.attempt = 0;
    this.listener.onState("open");
  }

  private async closed(opened: boolean, code: number, reason: string): Promise<void> {
    this.socket = undefined;
    if (!this.wanted) return;
    if (code === 1001 && opened && reason.includes("resumed")) return this.fail({ kind: "ended", message: reason });
    const fault = opened ? undefined : await faultOfServer();
    if (!this.wanted) return;
    if (fault && fault.kind !== "loading" && fault.kind !== "unreachable" && !(fault.kind === "refused" && this.token)) {
      return this.fail(fault);
    }
    if (fault?.kind === "refused") {
      this.token = this.last = undefined; // the server lives and does not know the session: begin a new one
      this.listener.onSessionLost();
    }
    const pause = PAUSES_MS[this.attempt++];
    if (pause === undefined) return this.fail(fault ?? { kind: "unreachable", message: "" });
    this.listener.onState("reconnecting", fault);
    this.timer = setTimeout(() => void this.connect(), pause);
  }

  private fail(fault: Fault): void {
    this.wanted = false;
    this.listener.onState("failed", fault);
  }

  private drop(code: number): void {
    const { socket } = this;
    this.socket = undefined;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close(code);
  }
}

async function clientSecret(): Promise<string> {
  return (await api<{ value: string }>("v1/realtime/client_secrets", { json: {} })).value;
}

/** A browser does not tell why an upgrade was refused; HTTP does. */
async function faultOfServer(): Promise<Fault> {
  try {
    await api("v1/models");
    const health = await api<{ sessions?: { live: number; capacity: number } }>("health");
    const full = health.sessions !== undefined && health.sessions.live >= health.sessions.capacity;
    return { kind: full ? "full" : "refused", message: "" };
  } catch (error) {
    if (!(error instanceof ApiError)) return { kind: "unreachable", message: String(error) };
    if (error.status === 401 || error.status === 403) return { kind: "key", message: error.message };
    if (error.status === 503) return { kind: "loading", message: error.message };
    return { kind: error.status === 429 ? "full" : "unreachable", message: error.message };
  }
}
