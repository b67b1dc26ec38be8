import { locale } from "../i18n/i18n.svelte";
import { PRESETS } from "../presets";
import { conversation } from "./conversation.svelte";
import { settings } from "./settings.svelte";

/** Who the assistant is from now on; an empty id is nobody in particular. */
export function choosePreset(id: string): void {
  const preset = PRESETS.find((other) => other.id === id);
  settings.preset = id;
  settings.instructions = preset?.instructions[locale.index] ?? "";
  settings.voice = preset?.voice ?? "";
  conversation.apply();
}
