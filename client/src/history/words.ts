/** All that the history page says (pure). Times are ms since 1970. */
import { words } from "../words/language";
import type { Day, Recording, State } from "./api";

export const WORDS = words.history;

const number = new Intl.NumberFormat("en");

export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${number.format(count)} ${count === 1 ? one : many}`;
}

export function sizeWords(bytes: number): string {
  const megabytes = bytes / 1e6;
  if (megabytes >= 1000) return `${(megabytes / 1000).toFixed(1)} GB`;
  return megabytes >= 10 ? `${Math.round(megabytes)} MB` : `${megabytes.toFixed(1)} MB`;
}

/** `2:05`: minutes and seconds. */
export function durationWords(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function dreamsAndDabs({ frames, dabs }: Recording): string {
  return `${countWords(frames, "dream")} · ${dabs === 0 ? "nobody drew" : countWords(dabs, "dab")}`;
}

/** What stands on a card in place of its length. */
export function stateWords(state: State): string {
  switch (state) {
    case "RECORDING":
      return "Recording";
    case "WAITING":
      return "Movie to come";
    case "EXPIRED":
      return "No longer kept";
    default:
      return "";
  }
}

export function speedWords(speed: number): string {
  return { 0.25: "¼×", 0.5: "½×" }[speed] ?? `${speed}×`;
}

/** Times and dates in the server's time zone. */
export class Clock {
  readonly zone: string;
  private readonly minutes: Intl.DateTimeFormat;
  private readonly seconds: Intl.DateTimeFormat;
  private readonly date: Intl.DateTimeFormat;
  private readonly short: Intl.DateTimeFormat;

  constructor(zone: string) {
    this.zone = zone;
    const clock = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    this.minutes = new Intl.DateTimeFormat("en-GB", clock);
    this.seconds = new Intl.DateTimeFormat("en-GB", { ...clock, second: "2-digit" });
    this.date = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
    });
    this.short = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  }

  /** `14:03`. */
  toMinute(time: number): string {
    return this.minutes.format(time);
  }

  /** `14:03:20`. */
  toSecond(time: number): string {
    return this.seconds.format(time);
  }

  /** `Sunday 22 November 2026`. */
  day(time: number): string {
    return this.date.format(time).replace(",", "");
  }

  /** `22 Nov`. */
  shortDay(time: number): string {
    return this.short.format(time);
  }

  /** `14:00 to 16:00`; shorter than a few minutes, with seconds. */
  span(start: number, end: number): string {
    const at = (time: number) => (end - start < 120_000 ? this.toSecond(time) : this.toMinute(time));
    return `${at(start)} – ${at(end)}`;
  }
}

/** The parts of a day's name, `2026-11-22`, for the strip. */
export function dayParts(day: string): { weekday: string; date: string; month: string; label: string } {
  const noon = Date.parse(`${day}T12:00:00Z`);
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(noon);
  return {
    weekday: part({ weekday: "short" }),
    date: part({ day: "numeric" }),
    month: part({ month: "long", year: "numeric" }),
    label: part({ weekday: "long", day: "numeric", month: "long", year: "numeric" }).replace(",", ""),
  };
}

export function dayLabel(day: Day): string {
  return `${dayParts(day.day).label}: ${countWords(day.windows, "movie")}, ${countWords(day.frames, "dream")}, ${countWords(day.dabs, "dab")}`;
}
