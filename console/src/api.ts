/** The server's HTTP API: the base address, the key, errors as the server words them. */

const BASE = new URL(".", document.baseURI);
const SLOT = "vivavoce.key";

/** The key lives in this tab only, unless its owner asks for more. It never gets into a URL, the log or a saved file. */
class Keys {
  private current = sessionStorage.getItem(SLOT) ?? localStorage.getItem(SLOT) ?? "";

  get value(): string {
    return this.current;
  }

  get remembered(): boolean {
    return localStorage.getItem(SLOT) !== null;
  }

  set(value: string, remember: boolean): void {
    this.current = value.trim();
    sessionStorage.removeItem(SLOT);
    localStorage.removeItem(SLOT);
    if (this.current) (remember ? localStorage : sessionStorage).setItem(SLOT, this.current);
  }
}

export const keys = new Keys();

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

export function httpUrl(path: string, query: Record<string, string> = {}): string {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

export function socketUrl(path: string, query: Record<string, string>): string {
  return httpUrl(path, query).replace(/^http/, "ws");
}

function headers(): Record<string, string> {
  return keys.value ? { Authorization: `Bearer ${keys.value}` } : {};
}

/** Throws `ApiError`, and what `fetch` throws when nobody answers. */
export async function request(path: string, options: RequestInit & { json?: unknown; query?: Record<string, string> } = {}): Promise<Response> {
  const { json, query, ...rest } = options;
  const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  const type = json === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(httpUrl(path, query), { cache: "no-store", ...body, ...rest, headers: { ...headers(), ...type } });
  if (!response.ok) throw await errorOf(response.status, await response.text());
  return response;
}

export async function api<T = unknown>(path: string, options: Parameters<typeof request>[1] = {}): Promise<T> {
  return (await (await request(path, options)).json()) as T;
}

/** `progress` hears the part that is sent, 0 to 1. */
export function upload<T>(path: string, form: FormData, progress: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const http = new XMLHttpRequest();
    http.open("POST", httpUrl(path));
    for (const [name, value] of Object.entries(headers())) http.setRequestHeader(name, value);
    http.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    http.onerror = () => reject(new TypeError("the server cannot be reached"));
    http.onload = () => {
      if (http.status < 300) resolve(JSON.parse(http.responseText) as T);
      else reject(errorOf(http.status, http.responseText));
    };
    http.send(form);
  });
}

function errorOf(status: number, body: string): ApiError {
  try {
    const { error } = JSON.parse(body) as { error: { code?: string; message?: string; param?: string | null } };
    return new ApiError(status, error.code ?? "", error.message ?? `HTTP ${status}`, error.param ?? null);
  } catch {
    return new ApiError(status, "", `HTTP ${status}`);
  }
}

/** In words: what the server said, or that it does not answer. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
