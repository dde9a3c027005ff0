/** How the history page writes counts, sizes, times and days (pure). Times are ms since 1970. */
import { locale } from "../words/language";
import type { Day, Recording } from "./api";
import { WORDS } from "./messages";

export function sizeWords(bytes: number, language = locale): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "gigabyte"] : [bytes / 1e6, "megabyte"];
  const digits = unit === "megabyte" && value >= 10 ? 0 : 1;
  const format = {
    style: "unit",
    unit,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  } as const;
  return new Intl.NumberFormat(language, format).format(value);
}

/** `2:05`: minutes and seconds. */
export function durationWords(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function dreamsAndDabs({ frames, dabs }: Recording): string {
  return `${WORDS.dreams(frames)} · ${dabs === 0 ? WORDS.nobody : WORDS.dabs(dabs)}`;
}

/** Writes in a line how much was recorded on a day. */
export function dayFacts(day: Day): string {
  return `${WORDS.movies(day.windows)} · ${dreamsAndDabs(day)}`;
}

export function speedWords(speed: number): string {
  return { 0.25: "¼×", 0.5: "½×" }[speed] ?? `${speed}×`;
}

/** Times and dates in the server's time zone. */
export class Clock {
  private readonly minutes: Intl.DateTimeFormat;
  private readonly seconds: Intl.DateTimeFormat;
  private readonly zone: string;
  private readonly language: string;

  constructor(zone: string, language = locale) {
    this.zone = zone;
    this.language = language;
    const clock = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    this.minutes = new Intl.DateTimeFormat(language, clock);
    this.seconds = new Intl.DateTimeFormat(language, { ...clock, second: "2-digit" });
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
    return longDate(time, this.zone, this.language);
  }

  /** `14:00 – 16:00`; shorter than a few minutes, with seconds. */
  span(start: number, end: number): string {
    const at = (time: number) =>
      end - start < 120_000 ? this.toSecond(time) : this.toMinute(time);
    return `${at(start)} – ${at(end)}`;
  }
}

/** Returns the parts of a day's date, `2026-11-22`, for its button. */
export function dayParts(
  day: string,
  language = locale,
): { weekday: string; date: string; month: string; label: string } {
  const noon = noonOf(day);
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options }).format(noon);
  return {
    weekday: part({ weekday: "short" }),
    date: part({ day: "numeric" }),
    month: part({ month: "long", year: "numeric" }),
    label: longDate(noon, "UTC", language),
  };
}

/** Names a day with what was recorded; `weekday` short, as on its button, or written out. */
export function dayLabel(day: Day, weekday: "short" | "long"): string {
  const date = longDate(noonOf(day.day), "UTC", locale, weekday);
  return `${date}: ${WORDS.movies(day.windows)}, ${WORDS.dreams(day.frames)}, ${WORDS.dabs(day.dabs)}`;
}

function noonOf(day: string): number {
  return Date.parse(`${day}T12:00:00Z`);
}

function longDate(
  time: number,
  timeZone: string,
  language: string,
  weekday: "short" | "long" = "long",
): string {
  const format = { timeZone, weekday, day: "numeric", month: "long", year: "numeric" } as const;
  const text = new Intl.DateTimeFormat(language, format).format(time);
  // British usage; elsewhere the comma belongs there.
  return language === "en-GB" ? text.replace(",", "") : text;
}
