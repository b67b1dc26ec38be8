/** What the server has to choose from: models, voices, collections of documents. Loaded when first asked for, and again on demand. */

import { api } from "../api";
import { locale } from "../i18n/i18n.svelte";

export interface Model {
  id: string;
  alias_of?: string;
  description?: string;
  runs_on?: string[];
  capabilities?: string[];
  limits?: Record<string, number>;
  loaded?: boolean;
}

/** `name` is its id and what it is like: "alloy: neutral, balanced". */
export interface NamedVoice {
  id: string;
  name: string;
  chineseName?: string;
}

interface OfficialVoice {
  "voice-name": string;
  "voice-description": string;
}

/** What a voice is called in the page's language, and what it is like. */
export function called(voice: NamedVoice): [name: string, about: string] {
  const [name = voice.id, ...about] = voice.name.split(": ");
  return [(locale.language === "zh" && voice.chineseName) || name, about.join(": ")];
}

export interface OwnVoice {
  id: string;
  name: string;
  kind: "match" | "clone";
  engine: string;
  languages: string[];
  similarity: { words: string; cosine: number } | null;
  transcript: string;
  duration_ms: number;
}

export interface VectorStore {
  id: string;
  name: string;
  file_counts: { in_progress: number; completed: number; failed: number; total: number };
  usage_bytes: number;
}

const OFFICIAL_MODEL = "step-tts-2";

class Catalogue {
  models: Model[] = $state([]);
  ownVoices: OwnVoice[] = $state([]);
  sharedVoices: NamedVoice[] = $state([]);
  officialVoices: NamedVoice[] = $state([]);
  stores: VectorStore[] = $state([]);

  /** Whatever the key opens; the rest stays empty. */
  async load(): Promise<void> {
    await Promise.allSettled([this.loadModels(), this.loadVoices(), this.loadStores()]);
  }

  async loadModels(): Promise<void> {
    this.models = (await api<{ data: Model[] }>("v1/models")).data;
  }

  async loadVoices(): Promise<void> {
    const list = await api<{ data: OwnVoice[]; voices: NamedVoice[] }>("v1/audio/voices", { query: { limit: "100" } });
    const own = new Set(list.data.map((voice) => voice.id));
    this.ownVoices = list.data;
    const official = await api<{ voices: string[]; "voices-details": Record<string, OfficialVoice> }>("v1/audio/system_voices", { query: { model: OFFICIAL_MODEL } });
    this.officialVoices = official.voices.map((id) => {
      const details = official["voices-details"][id];
      return { id, name: `${id}: ${details?.["voice-description"] ?? ""}`, chineseName: details?.["voice-name"] ?? id };
    });
    const known = new Set(official.voices);
    this.sharedVoices = list.voices.filter((voice) => !own.has(voice.id) && !known.has(voice.id));
  }

  async loadStores(): Promise<void> {
    this.stores = (await api<{ data: VectorStore[] }>("v1/vector_stores", { query: { limit: "100" } })).data;
  }

  /** The names of tiers themselves, those that speak and listen. */
  get conversationModels(): Model[] {
    return this.models.filter((model) => model.capabilities?.includes("realtime") && !model.alias_of);
  }
}

export const catalogue = new Catalogue();
