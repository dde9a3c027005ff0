/** Finds what a link leads to. */
import type { Day, DayDetails, MovieWindow, Past, WindowDetails } from "./api";
import { LARGEST_PAGE } from "./api";
import { frameAt, type Link, windowName, windowStart } from "./moments";
import { canPlay, dayOf, type Reel, reelOfDay, reelOfWindow } from "./reel";

/** What the server is asked; all may reject. */
export interface Archive {
  fetchPast(before?: number, limit?: number): Promise<Past>;
  fetchWindow(name: string): Promise<WindowDetails | undefined>;
  fetchDay(name: string): Promise<DayDetails | undefined>;
}

/** Why something else is shown than the link says. */
export type Remark = "tooEarly" | "tooLate" | "gone" | undefined;

export interface Found {
  readonly reel: Reel;
  readonly index: number;
  readonly remark: Remark;
}

/**
 * Nothing can be shown; `gone` where there was something that is no longer kept.
 */
export interface NotFound {
  readonly missing: "noSuch" | "gone";
}

export class Guide {
  private readonly archive: Archive;
  private readonly now: () => number;
  /** The length of today's windows; older ones may have had another. */
  private windowSeconds = 7200;

  constructor(archive: Archive, now: () => number = Date.now) {
    this.archive = archive;
    this.now = now;
  }

  /** Fetches all days, and the newest windows that start before a time. */
  async fetchPast(before?: number, limit?: number): Promise<Past> {
    const past = await this.archive.fetchPast(before, limit);
    this.windowSeconds = past.windowSeconds;
    return past;
  }

  /** Finds what a link leads to. Rejects where the server does not answer. */
  find(link: Link): Promise<Found | NotFound> {
    return "day" in link ? this.findDay(link.day) : this.findTime(link.time);
  }

  /**
   * Fetches a reel again: there may be more dreams, or a movie by now. Undefined where it has gone.
   */
  async again(reel: Reel): Promise<Reel | undefined> {
    const details = await this.archive.fetchWindow(reel.name);
    return details && reelOfWindow(details);
  }

  /**
   * Fetches the windows of a day that start before a time, newest first, up to a page of them, and
   * whether there are more.
   */
  async windowsOf(day: Day, before = day.end): Promise<{ windows: MovieWindow[]; more: boolean }> {
    const limit = Math.min(
      LARGEST_PAGE,
      Math.ceil((day.end - day.start) / (this.windowSeconds * 1000)) + 1,
    );
    const { windows } = await this.fetchPast(before, limit);
    const found = windows.filter(({ start }) => start >= day.start);
    return { windows: found, more: found.length === limit };
  }

  /** Finds the starts of the windows before and after one. */
  async neighbours(
    start: number,
  ): Promise<{ earlier: number | undefined; later: number | undefined }> {
    const past = await this.fetchPast(start);
    const days = past.days.filter(({ end }) => end > start).sort((a, b) => a.start - b.start);
    let later: number | undefined;
    for (const day of days.slice(0, 2)) {
      const windows = await this.allWindowsOf(day);
      later = windows.filter((window) => window.start > start).at(-1)?.start;
      if (later !== undefined) break;
    }
    return { earlier: past.windows[0]?.start, later };
  }

  private async allWindowsOf(day: Day): Promise<MovieWindow[]> {
    const all: MovieWindow[] = [];
    for (let before = day.end, more = true; more; ) {
      const page = await this.windowsOf(day, before);
      all.push(...page.windows);
      more = page.more;
      before = all.at(-1)?.start ?? 0;
    }
    return all;
  }

  private async findTime(time: number): Promise<Found | NotFound> {
    const past = await this.fetchPast();
    const newest = past.windows[0];
    if (!newest) return { missing: "noSuch" };
    const inTime = time < newest.end;
    const name = windowName(inTime ? windowStart(time, past.windowSeconds) : newest.start);
    let details = await this.archive.fetchWindow(name);
    if (!details) {
      // Nothing was dreamt then, or windows had another length: the newest that started by then.
      const earlier = (await this.fetchPast(time + 1)).windows[0];
      if (!earlier) return this.beginning(past.days);
      details = await this.archive.fetchWindow(windowName(earlier.start));
    }
    if (!details) return { missing: "noSuch" };
    const reel = reelOfWindow(details);
    const index = Math.max(0, frameAt(reel.times, time));
    if (canPlay(reel)) return { reel, index, remark: time > this.now() ? "tooLate" : undefined };
    const day = dayOf(past.days, reel.recording.start);
    const ofDay = day?.state === "ENCODED" ? await this.findDay(day.day) : undefined;
    if (!ofDay || "missing" in ofDay) return { missing: "gone" };
    return {
      reel: ofDay.reel,
      index: Math.max(0, frameAt(ofDay.reel.times, time)),
      remark: "gone",
    };
  }

  /** Finds the first window of all, for a link to a time before it. */
  private async beginning(days: readonly Day[]): Promise<Found | NotFound> {
    const first = days.at(-1);
    if (!first) return { missing: "noSuch" };
    const oldest = (await this.allWindowsOf(first)).at(-1);
    const details = oldest && (await this.archive.fetchWindow(windowName(oldest.start)));
    if (!details) return { missing: "noSuch" };
    const reel = reelOfWindow(details);
    return canPlay(reel) ? { reel, index: 0, remark: "tooEarly" } : { missing: "gone" };
  }

  private async findDay(name: string): Promise<Found | NotFound> {
    const details = await this.archive.fetchDay(name);
    if (!details) return { missing: "noSuch" };
    const reel = reelOfDay(details, await this.allWindowsOf(details.day));
    if (canPlay(reel)) return { reel, index: 0, remark: undefined };
    return { missing: details.day.state === "EXPIRED" ? "gone" : "noSuch" };
  }
}
