/** The drawing page's messages in the page's language. */
import { de } from "./de";
import { en, type Messages } from "./en";
import { type Language, language } from "./language";

const MESSAGES: Record<Language, Messages> = { en, de };

export const words = MESSAGES[language];
