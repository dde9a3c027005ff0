/** The messages of all pages in the page's language. */
import { type Language, language } from "./language";
import { siteDe } from "./site_de";
import { type SiteMessages, siteEn } from "./site_en";

const MESSAGES: Record<Language, SiteMessages> = { en: siteEn, de: siteDe };

export const site = MESSAGES[language];

/**
 * Returns a style's name in the page's language. An operator's own styles have one name in all
 * languages.
 */
export function styleWords(name: string): string {
  return (site.styles as Record<string, string>)[name] ?? name;
}
