/** The history page: what there is, what the address asks for, what is played. */
import { element } from "../browser/dom";
import type { Day, MovieWindow, Past } from "./api";
import * as archive from "./api";
import { DayMovies } from "./day_movies";
import { DayStrip } from "./day_strip";
import { Guide } from "./guide";
import { WORDS } from "./messages";
import { parseLink, windowName } from "./moments";
import { PageState } from "./page_state";
import { Player } from "./player";
import { dayOf } from "./reel";

export class HistoryPage {
  private readonly title = document.title;
  private readonly guide = new Guide(archive);
  private readonly state = new PageState(() => void this.load());
  private readonly strip = new DayStrip((day) => void this.choose(day));
  private readonly movies = new DayMovies(this.guide, {
    opened: () => {
      this.playNext = true;
    },
    newest: async (window: MovieWindow) =>
      (await archive.fetchWindow(windowName(window.start)))?.dreams.at(-1),
  });
  private readonly player = new Player({
    address: (fragment) => history.replaceState(history.state, "", fragment),
    closed: () => this.closed(),
  });
  private past: Past | undefined;
  /** Whether the movie that is opened next begins to play at once. */
  private playNext = false;
  /**
   * Whether the player was opened from within the page: then closing it goes back in the browser's
   * history.
   */
  private entered = false;
  /** Counts what was asked for; an answer to an earlier question is dropped. */
  private asked = 0;

  /** Fetches the list of days and movies, shows it, and opens what the address says. */
  async load(): Promise<void> {
    const { dataset } = document.documentElement;
    this.state.show("loading");
    try {
      this.past = await this.guide.fetchPast();
    } catch {
      this.state.show("failed");
      dataset.phase = "failed";
      return;
    }
    await this.show(this.past);
    await this.follow();
    dataset.phase = "live";
  }

  /** The address has another fragment; `before` is the whole address before. */
  async addressChanged(before: string): Promise<void> {
    this.entered = this.entered || !parseLink(new URL(before).hash);
    await this.follow();
  }

  /** Fetches the list again, and shows it where it has changed. */
  async refresh(): Promise<void> {
    if (document.hidden || !this.past) return;
    try {
      const now = await this.guide.fetchPast();
      const changed = JSON.stringify(now) !== JSON.stringify(this.past);
      this.past = now;
      if (changed) await this.show(now);
    } catch {
      // What is shown stays until the next attempt.
    }
  }

  /**
   * Fetches what is played where it is not a movie yet: there may be more dreams, or a movie by
   * now.
   */
  async grow(): Promise<void> {
    const { reel } = this.player;
    if (document.hidden || !reel || reel.kind === "day" || reel.recording.renditions.length > 0)
      return;
    try {
      const now = await this.guide.again(reel);
      if (now && this.player.reel === reel) this.player.update(now);
    } catch {
      // As in `refresh`.
    }
  }

  private async choose(day: Day): Promise<void> {
    if (!this.past) return;
    this.strip.choose(day.day);
    await this.movies.show(day, this.past);
  }

  private async show(now: Past): Promise<void> {
    this.state.show(now.days.length === 0 ? "empty" : "none");
    document.documentElement.dataset.days = String(now.days.length);
    const newest = now.days[0];
    if (!newest) return;
    const shown = now.days.find(({ day }) => day === this.movies.day?.day);
    const current = shown ?? linkedDay(now.days) ?? newest;
    this.strip.show(now.days, current.day);
    await this.movies.show(current, now);
  }

  /** Opens what the address says. */
  private async follow(): Promise<void> {
    const link = parseLink(location.hash);
    const play = this.playNext;
    this.playNext = false;
    this.asked += 1;
    const { asked, past } = this;
    if (!link || !past) {
      this.player.close();
      return;
    }
    this.player.expect();
    try {
      const found = await this.guide.find(link);
      if (asked !== this.asked) return;
      if ("missing" in found) {
        this.player.miss(found.missing);
        return;
      }
      const { reel, index, remark } = found;
      this.player.open(reel, index, past, { play, remark: remark ? WORDS[remark] : "" });
      document.title = `${element("title", HTMLElement).textContent} · ${this.title}`;
      if (reel.kind === "window") {
        const { earlier, later } = await this.guide.neighbours(reel.recording.start);
        if (asked === this.asked) this.player.setNeighbours(earlier, later);
      }
    } catch (error) {
      if (!(error instanceof archive.Failed)) throw error;
      if (asked === this.asked && !this.player.reel) this.player.fail(() => void this.follow());
    }
  }

  private closed(): void {
    this.asked += 1;
    if (parseLink(location.hash)) {
      if (this.entered) history.back();
      else history.replaceState(null, "", location.pathname);
    }
    this.entered = false;
    document.title = this.title;
  }
}

/** Returns the day that the address leads to; undefined where it names none. */
function linkedDay(days: readonly Day[]): Day | undefined {
  const link = parseLink(location.hash);
  if (!link) return undefined;
  return "day" in link ? days.find(({ day }) => day === link.day) : dayOf(days, link.time);
}
