/** Which part of the page is seen, and how it looks. The address's fragment keeps it, so that it can be linked to. */

export const VIEWS = ["talk", "inspect", "voices", "knowledge", "server", "code"] as const;
export type View = (typeof VIEWS)[number];
export type Theme = "auto" | "light" | "dark";

const THEME = "vivavoce.theme";

class Page {
  view: View = $state(fromAddress());
  theme: Theme = $state((localStorage.getItem(THEME) as Theme | null) ?? "auto");
  settingsOpen = $state(false);

  constructor() {
    addEventListener("hashchange", () => (this.view = fromAddress()));
  }

  chooseTheme(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(THEME, theme);
  }
}

function fromAddress(): View {
  const name = location.hash.slice(1);
  return VIEWS.find((view) => view === name) ?? "talk";
}

export const page = new Page();
