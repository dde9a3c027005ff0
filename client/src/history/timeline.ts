/**
 * The time line's mathematics (pure). Its axis counts frames, so that each dream is as wide as any
 * other and the play head moves evenly; the clock is written along it, and where nothing was dreamt
 * for a while there is a gap.
 */
import type { StyleSpan } from "./api";
import { frameAt, MINUTE } from "./moments";

/** A stretch of frames, `to` not included. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** `level` is the share of the busiest minute, 0 to 1. */
export interface Bar extends Stretch {
  readonly dabs: number;
  readonly level: number;
}

export interface StyleStretch extends Stretch {
  readonly style: string;
}

/** A time up to `end` (not included), and how many dabs were drawn since the end before. */
export interface Slot {
  readonly end: number;
  readonly dabs: number;
}

export function minutes(start: number, dabsPerMinute: readonly number[]): Slot[] {
  return dabsPerMinute.map((dabs, minute) => ({ end: start + (minute + 1) * MINUTE, dabs }));
}

/** Returns when people drew. Dabs of slots without a dream count to the next dream. */
export function bars(times: readonly number[], slots: readonly Slot[]): Bar[] {
  const found: { from: number; to: number; dabs: number }[] = [];
  let before = 0;
  let pending = 0;
  for (const { end, dabs } of slots) {
    const to = frameAt(times, end - 1) + 1;
    pending += dabs;
    if (to <= before) continue;
    found.push({ from: before, to, dabs: pending });
    before = to;
    pending = 0;
  }
  const last = found.at(-1);
  if (last) last.dabs += pending;
  const most = Math.max(1, ...found.map(({ dabs }) => dabs));
  // The square root keeps a lone visitor's strokes visible beside a crowd's.
  return found.map((bar) => ({ ...bar, level: Math.sqrt(bar.dabs / most) }));
}

/** Returns which style was dreamt when. Frames before the first span belong to it. */
export function stretches(times: readonly number[], spans: readonly StyleSpan[]): StyleStretch[] {
  const found: { from: number; to: number; style: string }[] = [];
  spans.forEach(({ style }, i) => {
    const next = spans[i + 1];
    const from = found.at(-1)?.to ?? 0;
    const to = next ? frameAt(times, next.start - 1) + 1 : times.length;
    if (to <= from) return;
    const last = found.at(-1);
    if (last?.style === style) last.to = to;
    else found.push({ from, to, style });
  });
  return found;
}

export function styleAt(all: readonly StyleStretch[], index: number): string {
  return all.find(({ from, to }) => index >= from && index < to)?.style ?? "";
}

/** Returns the frames before which nothing was dreamt for at least `least` ms. */
export function gaps(times: readonly number[], least: number): number[] {
  const found: number[] = [];
  for (let i = 1; i < times.length; i++) if (times[i] - times[i - 1] >= least) found.push(i);
  return found;
}

export interface Tick {
  /** The frame. */
  readonly at: number;
  readonly time: number;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE);

/**
 * Returns round times of the clock to be written along the axis: at most `most`, and none nearer
 * to another than `1 / most` of the axis.
 */
export function ticks(times: readonly number[], most: number): Tick[] {
  const count = times.length;
  if (count < 2 || most < 1) return [];
  const span = times[count - 1] - times[0];
  const step = STEPS.find((each) => span / each <= most) ?? STEPS[STEPS.length - 1];
  const found: Tick[] = [];
  for (let time = Math.ceil(times[0] / step) * step; time <= times[count - 1]; time += step) {
    const at = frameAt(times, time - 1) + 1;
    const last = found.at(-1);
    if (!last || at - last.at >= count / most) found.push({ at, time });
  }
  return found;
}

const NEAR = 35;
const GOLDEN_ANGLE = 137;

/**
 * Returns a hue for each style, 0 to 359: always the same one for a style, unless it is too near to
 * that of a style before it.
 */
export function hues(styles: Iterable<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const style of styles) {
    if (found.has(style)) continue;
    let hue = ownHue(style);
    const crowded = () => [...found.values()].some((other) => distance(hue, other) < NEAR);
    for (let tries = 0; tries < 12 && crowded(); tries++) hue = (hue + GOLDEN_ANGLE) % 360;
    found.set(style, hue);
  }
  return found;
}

function ownHue(style: string): number {
  let hash = 2166136261;
  for (let i = 0; i < style.length; i++)
    hash = Math.imul(hash ^ style.charCodeAt(i), 16777619) >>> 0;
  return (hash >>> 8) % 360;
}

function distance(a: number, b: number): number {
  const apart = Math.abs(a - b);
  return Math.min(apart, 360 - apart);
}
