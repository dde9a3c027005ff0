/** Starts the history page. */
import { translate } from "../words/language";
import { site } from "../words/site";
import { WORDS } from "./messages";
import { HistoryPage } from "./page";

const REFRESH_MS = 60_000;
/** How often a window that is not a movie yet is asked for. */
const GROWTH_MS = 5000;

translate(document, { ...site, history: WORDS });

const page = new HistoryPage();
addEventListener("hashchange", ({ oldURL }) => void page.addressChanged(oldURL));
document.addEventListener("visibilitychange", () => void page.refresh());
setInterval(() => void page.refresh(), REFRESH_MS);
setInterval(() => void page.grow(), GROWTH_MS);
void page.load();
