/**
 * What is played: the dreams of a window, or those of a day's movie, with what is known of them
 * (pure).
 */
import type { Day, DayDetails, MovieWindow, Recording, StyleSpan, WindowDetails } from "./api";
import { windowName } from "./moments";
import { type Bar, bars, minutes, type StyleStretch, stretches } from "./timeline";

export interface Reel {
  readonly kind: "window" | "day";
  /** As the server calls it: `20261122T140000Z`, `2026-11-22`. */
  readonly name: string;
  readonly recording: Recording;
  readonly dreams: readonly number[];
  readonly times: readonly number[];
  readonly bars: readonly Bar[];
  readonly styles: readonly StyleStretch[];
}

export function reelOfWindow({ window, dreams, times, dabsPerMinute }: WindowDetails): Reel {
  return {
    kind: "window",
    name: windowName(window.start),
    recording: window,
    dreams,
    times,
    bars: bars(times, minutes(window.start, dabsPerMinute)),
    styles: stretches(times, window.styles),
  };
}

/** The day's windows tell when people drew, and the styles. They may be in any order. */
export function reelOfDay(
  { day, dreams, times }: DayDetails,
  windows: readonly MovieWindow[],
): Reel {
  const ascending = [...windows].sort((a, b) => a.start - b.start);
  const spans: StyleSpan[] = ascending.flatMap(({ styles }) => styles);
  return {
    kind: "day",
    name: day.day,
    recording: day,
    dreams,
    times,
    bars: bars(
      times,
      ascending.map(({ end, dabs }) => ({ end, dabs })),
    ),
    styles: stretches(times, spans),
  };
}

/** Whether there is something to show: a movie, or the frames that are to become one. */
export function canPlay({ recording, dreams }: Reel): boolean {
  if (dreams.length === 0) return false;
  return (
    recording.renditions.length > 0 ||
    recording.state === "RECORDING" ||
    recording.state === "WAITING"
  );
}

export function dayOf(days: readonly Day[], time: number): Day | undefined {
  return days.find(({ start, end }) => start <= time && time < end);
}
