// Light or dark: the system's wish, until the reader says otherwise.
import { byId, fill } from "./dom";
import { icon } from "./icons";

const KEY = "oplas-studio-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const heard = new Set<() => void>();

function chosen(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden; the system's wish remains
  }
}

export function dark(): boolean {
  return (chosen() ?? (system.matches ? "dark" : "light")) === "dark";
}

/** Called when the theme changes; returns its undoing. */
export function onTheme(work: () => void): () => void {
  heard.add(work);
  return () => heard.delete(work);
}

/** The present value of a CSS colour, for what is painted by hand. */
export function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function apply(): void {
  document.documentElement.dataset["theme"] = dark() ? "dark" : "light";
  const button = byId("theme");
  fill(button, icon(dark() ? "sun" : "moon"));
  button.setAttribute("aria-label", dark() ? "Light theme" : "Dark theme");
  for (const work of heard) work();
}

export function startTheme(): void {
  byId("theme").addEventListener("click", () => {
    try {
      localStorage.setItem(KEY, dark() ? "light" : "dark");
    } catch {
      return;
    }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
