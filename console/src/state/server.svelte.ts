/** How the server is: its own words and figures, asked for every two seconds while somebody looks. */

import { api, ApiError, keys, messageOf, request } from "../api";

export interface Weights {
  name: string;
  what: string;
  licence: string;
  size_bytes: number;
  present: boolean;
  optional: boolean;
  pull?: { done_bytes: number; total_bytes: number; place: string; error?: string | null; notes?: string[] } | null;
}

export interface ApiKey {
  id: string;
  name?: string;
  hint?: string;
  scopes: string[];
  created_at: number;
  expires_at: number | null;
  revoked: boolean;
  current?: boolean;
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Prometheus' text format. */
export function samplesOf(text: string): Sample[] {
  return text.split("\n").flatMap((line): Sample[] => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)$/.exec(line);
    if (!match?.[1]) return [];
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((pair) => [pair[1], pair[2]]));
    return [{ name: match[1], labels, value: Number(match[3]) }];
  });
}

class ServerState {
  status: "ok" | "loading" | "failed" | "unreachable" | "" = $state("");
  version = $state("");
  samples: Sample[] = $state.raw([]);
  checks: Record<string, { ok: boolean; reason: string | null }> = $state.raw({});
  weights: Weights[] = $state.raw([]);
  /** Whether the server has keys, and whether it takes ours. */
  access: "open" | "good" | "bad" | "needed" | "" = $state("");
  history: number[] = $state.raw([]);

  async load(): Promise<void> {
    await Promise.all([this.loadHealth(), this.loadMetrics()]);
  }

  value(name: string, label?: string): number | undefined {
    return this.samples.find((sample) => sample.name === name && (!label || Object.values(sample.labels).includes(label)))?.value;
  }

  async loadWeights(): Promise<void> {
    this.weights = (await api<{ data: Weights[] }>("v1/weights")).data;
  }

  async loadAccess(): Promise<void> {
    try {
      await api("v1/accounts");
      // Without a key the server answers its own machine only if it has none.
      this.access = keys.value ? "good" : "open";
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error;
      this.access = keys.value ? "bad" : "needed";
    }
  }

  private async loadHealth(): Promise<void> {
    try {
      const answer = await fetch(new URL("health", document.baseURI), { cache: "no-store", headers: keys.value ? { Authorization: `Bearer ${keys.value}` } : {} });
      const health = (await answer.json()) as { status: "ok" | "loading" | "failed"; version?: string };
      this.status = health.status;
      this.version = health.version ?? "";
    } catch {
      this.status = "unreachable";
    }
  }

  private async loadMetrics(): Promise<void> {
    try {
      this.samples = samplesOf(await (await request("metrics")).text());
      const memory = this.value("process_resident_memory_bytes");
      if (memory !== undefined) this.history = [...this.history, memory].slice(-60);
      const ready = await fetch(new URL("readyz", document.baseURI), { cache: "no-store" });
      this.checks = ((await ready.json()) as { checks: ServerState["checks"] }).checks;
    } catch (error) {
      console.info(messageOf(error));
    }
  }
}

export const server = new ServerState();
