/** English messages of all pages. `site_de.ts` has the same in German. */
import type { Widened } from "./widened";

export const siteEn = {
  site: {
    history: "History",
    historyTitle: "Everything that was dreamt",
    about: "About",
    aboutTitle: "What this is, and who runs it",
    close: "Close",
    closeTitle: "Close (Esc)",
    space: "space",
    noScript: "Dreamcanvas needs JavaScript to draw.",
  },
  /** Names of styles; the server's are English. */
  styles: {} as Record<string, string>,
};

export type SiteMessages = Widened<typeof siteEn>;
