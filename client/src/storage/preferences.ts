/** What a visitor prefers, kept across visits: language, light or dark, cursors, a name. */

import { cleanLine } from "../text/visible";
import { keep, recall } from "./keep";
import { parseRecord } from "./records";

export const THEMES = ["auto", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

export interface Preferences {
  /** A language's code, or `auto`: the browser's. */
  readonly language: string;
  readonly theme: Theme;
  /** Whether others' pointers are shown, and one's own to them. */
  readonly cursors: boolean;
  /** What others read beside one's pointer; an animal's name where it is empty. */
  readonly name: string;
}

export const NAME_LENGTH = 40;

/**
 * The small script in the page's head, which keeps a page from flashing in the wrong colours, reads
 * it too.
 */
const KEY = "dreamcanvas.preferences";

/** Reads what was saved; what of it is missing or wrong has its default. */
export function parsePreferences(text: string | null): Preferences {
  const preferences: { -readonly [K in keyof Preferences]: Preferences[K] } = {
    language: "auto",
    theme: "auto",
    cursors: true,
    name: "",
  };
  const { language, theme, cursors, name } = parseRecord(text);
  if (typeof language === "string" && /^[a-z]{2,4}$/.test(language))
    preferences.language = language;
  if (theme === "dark" || theme === "light") preferences.theme = theme;
  if (typeof cursors === "boolean") preferences.cursors = cursors;
  if (typeof name === "string") preferences.name = cleanName(name);
  return preferences;
}

/**
 * A name as others may see it: one line, of at most 40 characters; empty where it shows nothing.
 */
export function cleanName(name: string): string {
  return cleanLine(name, NAME_LENGTH);
}

export function loadPreferences(): Preferences {
  return parsePreferences(recall("localStorage", KEY));
}

export function savePreferences(preferences: Preferences): void {
  keep("localStorage", KEY, JSON.stringify(preferences));
}

export function applyTheme(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "auto") delete dataset.theme;
  else dataset.theme = theme;
}
