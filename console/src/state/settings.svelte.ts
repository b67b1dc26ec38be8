/** What the user has chosen, kept in this browser; and the session the server is told. */

export type TurnMode = "server_vad" | "semantic_vad" | "push";

export interface Settings {
  model: string;
  voice: string;
  language: string;
  preset: string;
  instructions: string;
  mode: TurnMode;
  threshold: number;
  silence_ms: number;
  eagerness: "low" | "medium" | "high" | "auto";
  interrupt: boolean;
  spoken: boolean;
  speed: number;
  temperature: number;
  effort: string;
  webSearch: boolean;
  store: string;
  storeName: string;
  lamp: boolean;
  functions: string;
  volume: number;
}

const SLOT = "vivavoce.settings";

export const DEFAULTS: Settings = {
  model: "step-audio-2",
  voice: "",
  language: "",
  preset: "",
  instructions: "",
  mode: "server_vad",
  threshold: 0.5,
  silence_ms: 320,
  eagerness: "auto",
  interrupt: true,
  spoken: true,
  speed: 1,
  temperature: 0,
  effort: "",
  webSearch: false,
  store: "",
  storeName: "",
  lamp: false,
  functions: "",
  volume: 1,
};

function load(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(SLOT) ?? "{}") as Partial<Settings>) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const settings: Settings = $state(load());

export function keepSettings(): void {
  localStorage.setItem(SLOT, JSON.stringify(settings));
}

export const LAMP_TOOL = {
  type: "function",
  function: {
    name: "switch_lamp",
    description: "Switches the lamp on this page on or off, and sets its colour.",
    parameters: {
      type: "object",
      properties: {
        on: { type: "boolean", description: "true switches it on" },
        colour: { type: "string", enum: ["white", "red", "green", "blue", "yellow"] },
      },
      required: ["on"],
    },
  },
};

/** The functions somebody has written into the text box. Throws `SyntaxError` or `TypeError` when they are none. */
export function ownFunctions(text: string): unknown[] {
  if (!text.trim()) return [];
  const parsed: unknown = JSON.parse(text);
  const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return list.map((tool) => {
    if (typeof tool !== "object" || tool === null) throw new TypeError("a tool is an object");
    return "type" in tool ? tool : { type: "function", function: tool };
  });
}

function tools(s: Settings): unknown[] {
  const list: unknown[] = [];
  if (s.webSearch) list.push({ type: "web_search" });
  if (s.store) {
    const options = { vector_store_id: s.store };
    const description = `The user's documents${s.storeName ? ` (${s.storeName})` : ""}: look here for any question they may answer.`;
    list.push({ type: "retrieval", function: { description, options } });
  }
  if (s.lamp) list.push(LAMP_TOOL);
  try {
    list.push(...ownFunctions(s.functions));
  } catch {
    // the text box says what is wrong with it
  }
  return list;
}

function turnDetection(s: Settings): unknown {
  if (s.mode === "push") return null;
  const shared = { threshold: s.threshold, interrupt_response: s.interrupt };
  if (s.mode === "semantic_vad") return { type: "semantic_vad", eagerness: s.eagerness, ...shared };
  return { type: "server_vad", silence_duration_ms: s.silence_ms, ...shared };
}

/** As `session.update` has it. */
export function sessionOf(s: Settings): Record<string, unknown> {
  return {
    modalities: s.spoken ? ["text", "audio"] : ["text"],
    instructions: s.instructions,
    ...(s.voice ? { voice: s.voice } : {}),
    input_audio_transcription: s.language ? { language: s.language } : { language: "auto" },
    turn_detection: turnDetection(s),
    temperature: s.temperature,
    speed: s.speed,
    tools: tools(s),
    ...(s.effort ? { reasoning: { effort: s.effort } } : {}),
  };
}
