/** The page's language: the browser's at first, then what was chosen. */

import { MESSAGES, type MessageKey } from "./messages";

export type Language = "en" | "zh";

const SLOT = "vivavoce.language";

class Locale {
  language: Language = $state(first());

  choose(language: Language): void {
    this.language = language;
    localStorage.setItem(SLOT, language);
  }

  get index(): 0 | 1 {
    return this.language === "zh" ? 1 : 0;
  }
}

function first(): Language {
  const kept = localStorage.getItem(SLOT);
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const locale = new Locale();

/** The words for a key; `{0}` and so on are filled in. */
export function t(key: MessageKey, ...values: (string | number)[]): string {
  return MESSAGES[key][locale.index].replace(/\{(\d)\}/g, (_, n: string) => String(values[Number(n)] ?? ""));
}
