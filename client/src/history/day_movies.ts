/** A day's movies. */
import { element } from "../browser/dom";
import type { Day, MovieWindow, Past } from "./api";
import { type CardCommands, dayCard, windowCard } from "./cards";
import { Clock, dayFacts, dayParts } from "./formats";
import type { Guide } from "./guide";
import { WORDS } from "./messages";
import { SPRITE_COLUMNS } from "./moments";

export class DayMovies {
  day: Day | undefined;
  private readonly root = element("shelf", HTMLElement);
  private readonly title = element("day-title", HTMLElement);
  private readonly words = element("day-words", HTMLElement);
  private readonly cards = element("cards", HTMLElement);
  private readonly more = element("more", HTMLButtonElement);
  private readonly guide: Guide;
  private readonly commands: CardCommands;
  private windows: MovieWindow[] = [];
  private shown = "";

  constructor(guide: Guide, commands: CardCommands) {
    this.guide = guide;
    this.commands = commands;
  }

  /** Shows the movies of a day. Does nothing where they are shown and have not changed. */
  async show(day: Day, past: Past): Promise<void> {
    const another = this.day?.day !== day.day;
    this.day = day;
    if (another) {
      this.shown = "";
      this.root.setAttribute("aria-busy", "true");
      this.title.textContent = dayParts(day.day).label;
      this.words.textContent = dayFacts(day);
      this.cards.replaceChildren(...skeletons(Math.min(day.windows, 12)));
      this.more.hidden = true;
    }
    this.root.hidden = false;
    let page: Awaited<ReturnType<Guide["windowsOf"]>> | undefined;
    try {
      page = await this.guide.windowsOf(day);
    } catch {
      // `fail` says so below; where movies are shown they stay.
    }
    if (this.day.day !== day.day) return;
    this.root.removeAttribute("aria-busy");
    if (page) this.refill(day, past, page);
    else if (!this.shown) this.fail(day, past);
  }

  private refill(
    day: Day,
    past: Past,
    { windows, more }: { windows: MovieWindow[]; more: boolean },
  ): void {
    this.words.textContent = dayFacts(day);
    const now = JSON.stringify([day, windows]);
    if (now === this.shown) return;
    this.shown = now;
    this.windows = windows;
    this.fill(day, past, windows, more);
  }

  private fail(day: Day, past: Past): void {
    this.words.textContent = WORDS.dayFailed;
    this.cards.replaceChildren();
    this.more.textContent = WORDS.again;
    this.more.hidden = false;
    this.more.onclick = () => {
      this.day = undefined;
      void this.show(day, past);
    };
  }

  private fill(day: Day, past: Past, windows: readonly MovieWindow[], more: boolean): void {
    const clock = new Clock(past.timezone);
    const rows = past.thumbnails / SPRITE_COLUMNS;
    const focused = document.activeElement?.getAttribute("href");
    const all = windows.map((window) => windowCard(window, clock, rows, this.commands));
    if (day.renditions.length > 0) all.unshift(dayCard(day, rows, this.commands));
    this.cards.replaceChildren(...all);
    if (focused)
      this.cards.querySelector<HTMLElement>(`[href="${focused}"]`)?.focus({ preventScroll: true });
    this.more.textContent = WORDS.more;
    this.more.hidden = !more;
    this.more.onclick = () => void this.extend(past);
  }

  private async extend(past: Past): Promise<void> {
    const { day, windows } = this;
    if (!day) return;
    try {
      const page = await this.guide.windowsOf(day, windows.at(-1)?.start);
      if (this.day !== day) return;
      this.windows = [...windows, ...page.windows];
      this.fill(day, past, this.windows, page.more);
    } catch {
      this.more.textContent = `${WORDS.dayFailed} ${WORDS.again}`;
    }
  }
}

function skeletons(count: number): HTMLElement[] {
  return Array.from({ length: count }, () => {
    const item = document.createElement("li");
    item.className = "skeleton";
    item.setAttribute("aria-hidden", "true");
    return item;
  });
}
