/** Which language the page speaks, and how its messages come into the page. */
import { loadPreferences } from "../storage/preferences";

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Returns the first wished language that the page speaks; English where it speaks none of them. */
export function chooseLanguage(wished: readonly string[]): Language {
  for (const each of wished) {
    const found = LANGUAGES.find((language) => each.toLowerCase().split("-")[0] === language);
    if (found) return found;
  }
  return "en";
}

function pageLanguage(): Language {
  if (typeof document === "undefined") return "en";
  const { language } = loadPreferences();
  return chooseLanguage(language === "auto" ? navigator.languages : [language]);
}

export const language = pageLanguage();

/**
 * Dates and times are written as in Britain where the language is English: day before month, 24
 * hours.
 */
export const locale = language === "en" ? "en-GB" : language;

/**
 * Puts the page's fixed texts into its language: `data-t="draw.undo"` is an element's text,
 * `data-t-title`, `data-t-aria-label` and the like are attributes of it.
 */
export function translate(root: Document, from: object): void {
  root.documentElement.lang = language;
  for (const element of root.querySelectorAll<HTMLElement>("*")) {
    for (const { name, value } of [...element.attributes]) {
      if (name === "data-t") element.textContent = message(value, from);
      else if (name.startsWith("data-t-"))
        element.setAttribute(name.slice("data-t-".length), message(value, from));
    }
  }
}

/** Returns the message of a path, for example `draw.undo`. Throws where there is none. */
export function message(path: string, from: object): string {
  let found: unknown = from;
  for (const part of path.split(".")) {
    found =
      typeof found === "object" && found !== null
        ? (found as Record<string, unknown>)[part]
        : undefined;
  }
  if (typeof found !== "string") throw new Error(`there is no message ${path}`);
  return found;
}
