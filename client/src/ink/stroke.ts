/**
 * Turns the path of a pointer into dabs (pure).
 *
 * The path is smoothed: each sample is the control point of a quadratic curve between the middles
 * to its neighbours. Dabs lie a quarter of their size apart along the curve.
 */
import { type Dab, MAX_SIZE, nearest } from "../replica/brush";

/** A pointer's place in canvas coordinates. */
export interface Sample {
  readonly x: number;
  readonly y: number;
  /** 0 to 1; undefined where the device feels none. */
  readonly pressure?: number | undefined;
  /** How fast it comes, in CSS pixels a millisecond; undefined where that does not matter. */
  readonly speed?: number | undefined;
}

interface Step {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** The way from dab to dab, as a share of the size. */
const SPACING = 0.25;
/** What is left of the size at the lightest touch. */
const LIGHTEST = 0.2;
/**
 * Without pressure a stroke gets thinner with speed: up to SLOW it keeps its size, from FAST on it
 * is thinnest. CSS pixels a millisecond.
 */
const SLOW = 0.6;
const FAST = 4;
/** What is left of the size then. */
const THINNEST = 0.6;
/** Each sample moves the size by this share towards its own: measured speeds jump about. */
const EASE = 0.25;
/** A dab is soft: a mere tap is laid several times, so that it is seen. */
const TAP_DABS = 3;
/** A curve is drawn as lines of this length, in canvas pixels. */
const FLATNESS = 2;

export class Stroke {
  readonly number: number;
  private readonly size: number;
  private readonly color: number;
  private last: Step;
  /** The end of the curve so far. */
  private end: Step;
  /** How far from the last dab the curve's end is. */
  private travelled = 0;
  private moved = false;
  private share = 1;

  /** A stroke of the brush of this diameter in canvas pixels. `begin` gives its first dab. */
  constructor(number: number, size: number, color: number, first: Sample) {
    this.number = number;
    this.size = size;
    this.color = color;
    this.last = this.end = this.step(first);
  }

  begin(): Dab[] {
    return [this.dab(this.end)];
  }

  move(sample: Sample): Dab[] {
    const next = this.step(sample);
    if (next.x === this.last.x && next.y === this.last.y) return [];
    const control = this.last;
    const to = between(control, next, 0.5);
    this.last = next;
    this.moved = true;
    return this.curve(control, to);
  }

  finish(): Dab[] {
    if (this.moved) return this.curve(between(this.end, this.last, 0.5), this.last);
    return new Array<Dab>(TAP_DABS - 1).fill(this.dab(this.end));
  }

  private curve(control: Step, to: Step): Dab[] {
    const from = this.end;
    const length =
      Math.hypot(control.x - from.x, control.y - from.y) +
      Math.hypot(to.x - control.x, to.y - control.y);
    const pieces = Math.max(1, Math.ceil(length / FLATNESS));
    const dabs: Dab[] = [];
    for (let i = 1; i <= pieces; i++) {
      const t = i / pieces;
      this.line(between(between(from, control, t), between(control, to, t), t), dabs);
    }
    return dabs;
  }

  private line(to: Step, dabs: Dab[]): void {
    const from = this.end;
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    let at = 0;
    while (length > 0) {
      const here = between(from, to, at / length);
      const gap = Math.max(0, Math.max(1, here.size * SPACING) - this.travelled);
      if (at + gap > length) break;
      at += gap;
      this.travelled = 0;
      dabs.push(this.dab(between(from, to, at / length)));
    }
    this.travelled += length - at;
    this.end = to;
  }

  private step({ x, y, pressure, speed }: Sample): Step {
    if (pressure !== undefined) this.share = LIGHTEST + (1 - LIGHTEST) * pressure;
    else if (speed !== undefined) this.share += EASE * (shareAt(speed) - this.share);
    return { x, y, size: Math.min(MAX_SIZE, Math.max(1, this.size * this.share)) };
  }

  private dab({ x, y, size }: Step): Dab {
    const whole = Math.round(size);
    return { ...nearest(x, y, whole), size: whole, color: this.color };
  }
}

function shareAt(speed: number): number {
  const haste = Math.min(1, Math.max(0, (speed - SLOW) / (FAST - SLOW)));
  return 1 - (1 - THINNEST) * haste;
}

function between(a: Step, b: Step, t: number): Step {
  return {
    x: a.x + (b.x - a.x) * t,
    y: a.y + (b.y - a.y) * t,
    size: a.size + (b.size - a.size) * t,
  };
}
