/** The history page's messages in the page's language. */
import { type Language, language } from "../words/language";
import { historyDe } from "./messages_de";
import { type HistoryMessages, historyEn } from "./messages_en";

const MESSAGES: Record<Language, HistoryMessages> = { en: historyEn, de: historyDe };

export const WORDS = MESSAGES[language];
