/** Deutsche Texte der Verlaufsseite. */
export { historyEn as historyDe } from "./history_en";
