/** The events of the Realtime API (StepFun's dialect) as far as the page reads them. All of them are in the log. */

export interface Citation {
  title?: string;
  url?: string;
  file_id?: string;
  passage?: string;
}

export interface Part {
  type: string;
  text?: string | null;
  transcript?: string | null;
  thinking?: string | null;
}

export interface Item {
  id: string;
  type: "message" | "function_call" | "function_call_output" | (string & {});
  role?: "user" | "assistant" | "system";
  status?: string;
  content?: Part[];
  name?: string;
  arguments?: string;
  call_id?: string;
  output?: string;
  metadata?: { citations?: Citation[] } & Record<string, unknown>;
}

export interface Usage {
  total_tokens: number;
  input_tokens: number;
  output_tokens: number;
  input_token_details?: { cached_tokens?: number };
}

export interface ResponseObject {
  id: string;
  status: string;
  status_details?: { type?: string; reason?: string; error?: { code?: string; message?: string } } | null;
  output?: Item[];
  usage?: Usage | null;
  marks?: Marks;
  metadata?: Record<string, unknown> | null;
}

export type MarkName = "speech_end" | "endpoint" | "transcript" | "first_token" | "first_clause" | "first_audio" | "first_sent";
/** In milliseconds after the end of the turn was decided. */
export type Marks = Partial<Record<MarkName, number>>;

export interface ErrorObject {
  type?: string;
  code?: string;
  message?: string;
  param?: string | null;
  event_id?: string | null;
}

export interface ServerEvent {
  type: string;
  event_id?: string;
  item_id?: string;
  response_id?: string;
  call_id?: string;
  name?: string;
  arguments?: string;
  delta?: string;
  transcript?: string;
  text?: string;
  thinking?: string;
  audio_start_ms?: number;
  audio_end_ms?: number;
  item?: Item;
  part?: Part;
  response?: ResponseObject;
  error?: ErrorObject;
  session?: { id?: string; resume_token?: string; voice?: string; expires_in_seconds?: number } & Record<string, unknown>;
  [field: string]: unknown;
}

export type ClientEvent = { type: string; event_id?: string } & Record<string, unknown>;
