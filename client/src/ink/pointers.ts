/**
 * Tells drawing from moving the canvas, for mouse, touch and pen.
 *
 * Left button, pen and one finger draw; the middle button, the left one with the space bar held,
 * and two fingers move the canvas. Ink of a finger is tentative for a moment and is not sent:
 * fingers do not come down together, and when a second one comes, the first did not mean to draw.
 * What it has drawn by then is taken back, also what was sent a little later.
 *
 * `idle` → `draw`, `pan` when a pointer comes down; → `tap` for a finger where a tap is asked for;
 * any of these → `pinch` when a second finger comes; → `idle` when the pointer is lifted, and from
 * `pinch` when no finger is down any more.
 */
import type { Point } from "../view/view";

export interface PointerSample extends Point {
  readonly pressure: number | undefined;
  /** CSS pixels a millisecond; undefined where pressure is felt. */
  readonly speed: number | undefined;
}

export interface Hand {
  /** Whether the next pointer that comes down taps instead of drawing. */
  taps(): boolean;
  tap(at: Point): void;
  /** Begins a stroke. Returns false where nothing may be drawn now. */
  beginStroke(sample: PointerSample, tentative: boolean): boolean;
  moveStroke(samples: readonly PointerSample[]): void;
  /** A tentative stroke is meant: it may be sent. */
  keepStroke(): void;
  endStroke(): void;
  /** The stroke was not meant: it is taken back, even where it was kept. */
  cancelStroke(): void;
  pan(dx: number, dy: number): void;
  pinch(from: [Point, Point], to: [Point, Point]): void;
  zoom(at: Point, factor: number): void;
  /** A mouse or pen is there; undefined where it left. */
  hover(at: Point | undefined): void;
  /** A pointer that draws or may draw is there. */
  point(at: Point, down: boolean): void;
}

const TENTATIVE_MS = 120;
const TENTATIVE_PX = 12;
/** A finger that has drawn a line of so many CSS pixels meant to draw, whatever comes after it. */
const MEANT_PX = 120;
/** Bits of `PointerEvent.buttons`. */
const LEFT = 1;
const MIDDLE = 4;
/** `PointerEvent.button` of a move at which no button changed. */
const NO_CHANGE = -1;
const WHEEL_SPEED = 0.0016;
const PINCH_SPEED = 0.01;
const LINE_PX = 16;

export class Pointers {
  /** While true, the left button moves the canvas. */
  private panning = false;
  private readonly element: HTMLElement;
  private readonly hand: Hand;
  private readonly touches = new Map<number, Point>();
  private mode: "idle" | "draw" | "tap" | "pan" | "pinch" = "idle";
  /** The pointer that draws or pans. */
  private active = -1;
  private activeType = "";
  /** The button by which the active pointer draws or pans, as in `PointerEvent.buttons`. */
  private held = LEFT;
  private start: Point = { x: 0, y: 0 };
  /** How far the active pointer has gone, in CSS pixels. */
  private gone = 0;
  private last: Point = { x: 0, y: 0 };
  private lastTime = 0;
  private feelsForce = false;
  private tentative: ReturnType<typeof setTimeout> | undefined;

  constructor(element: HTMLElement, hand: Hand) {
    this.element = element;
    this.hand = hand;
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", (event) => this.up(event));
    // Something else took the pointer: no pointerup will come.
    element.addEventListener("lostpointercapture", (event) => this.up(event));
    element.addEventListener("pointerleave", (event) => this.leave(event));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    // Else a quick stroke is a fling to the browser, which swallows the tap on a button that comes
    // next
    element.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  }

  /** Whether the left button moves the canvas from now on. */
  setPanning(on: boolean): void {
    const { dataset } = this.element;
    this.panning = on;
    // For the pointer's shape; "moving" stays until the button is let go.
    if (on && dataset.hand === undefined) dataset.hand = "ready";
    else if (!on && dataset.hand === "ready") delete dataset.hand;
  }

  private down(event: PointerEvent): void {
    const at = this.point(event);
    if (event.pointerType === "touch") {
      if (this.mode === "draw" && this.activeType === "pen") return; // the palm of the hand
      // The first finger: no other is down, even where the page did not hear that it was lifted.
      if (event.isPrimary) this.touches.clear();
      this.touches.set(event.pointerId, at);
      if (this.touches.size > 1 && this.mode !== "pinch") {
        this.release(this.gone < MEANT_PX);
        this.mode = "pinch";
      }
    }
    if (event.pointerType === "pen") {
      this.touches.clear();
      this.release(this.activeType === "touch");
    }
    this.begin(event, at);
  }

  /**
   * Begins what a button is for. With another button held, browsers send a move for it, no
   * pointerdown.
   */
  private begin(event: PointerEvent, at: Point): void {
    if (this.mode !== "idle") return;
    const pan = event.button === 1 || (event.button === 0 && this.panning);
    if (!pan && event.button !== 0) return;
    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.active = event.pointerId;
    this.activeType = event.pointerType;
    this.held = event.button === 1 ? MIDDLE : LEFT;
    this.start = this.last = at;
    this.gone = 0;
    this.lastTime = event.timeStamp;
    if (pan) {
      this.mode = "pan";
      this.element.dataset.hand = "moving";
      return;
    }
    const finger = event.pointerType === "touch";
    if (this.hand.taps()) {
      // A finger's tap counts when it is lifted: until then a second finger may come to move the
      // canvas.
      if (finger) this.mode = "tap";
      else this.hand.tap(at);
      return;
    }
    this.hand.point(at, true);
    this.mode = this.hand.beginStroke(this.sample(event), finger) ? "draw" : "idle";
    if (finger && this.mode === "draw")
      this.tentative = setTimeout(() => this.keep(), TENTATIVE_MS);
  }

  private move(event: PointerEvent): void {
    const at = this.point(event);
    if (event.pointerType !== "touch") this.hand.hover(at);
    if (event.pointerId === this.active && !this.holds(event)) this.release(false);
    if (event.button !== NO_CHANGE && event.pointerType !== "touch" && pressed(event))
      this.begin(event, at);
    if (event.pointerType !== "touch" || this.mode === "draw")
      this.hand.point(at, this.mode === "draw");
    if (this.mode === "pinch" && this.touches.has(event.pointerId)) {
      const [a, b] = this.touches.keys();
      const from = [this.touches.get(a), this.touches.get(b)] as [Point, Point];
      this.touches.set(event.pointerId, at);
      if (this.touches.size !== 2) return;
      this.hand.pinch(from, [this.touches.get(a), this.touches.get(b)] as [Point, Point]);
      return;
    }
    if (event.pointerId !== this.active) return;
    if (this.mode === "tap") {
      this.gone = Math.max(this.gone, Math.hypot(at.x - this.start.x, at.y - this.start.y));
    } else if (this.mode === "pan") {
      this.hand.pan(at.x - this.last.x, at.y - this.last.y);
      this.last = at;
    } else if (this.mode === "draw") {
      if (Math.hypot(at.x - this.start.x, at.y - this.start.y) > TENTATIVE_PX) this.keep();
      this.hand.moveStroke(coalesced(event).map((each) => this.sample(each)));
    }
  }

  /**
   * Whether the button by which it began is still down. With several held, browsers tell of one
   * that goes up by a move.
   */
  private holds({ buttons, pointerType, pressure }: PointerEvent): boolean {
    if ((buttons & this.held) !== 0) return true;
    // A pen on the paper with its barrel button pressed: Windows reports that button only.
    return pointerType === "pen" && buttons !== 0 && pressure > 0;
  }

  private up(event: PointerEvent): void {
    this.touches.delete(event.pointerId);
    if (this.mode === "pinch" && this.touches.size === 0) this.mode = "idle";
    if (event.pointerId !== this.active) return;
    // A finger that the system took for a gesture of its own did not mean to draw
    const taken = event.type === "pointercancel" && event.pointerType === "touch";
    this.release(taken && this.gone < MEANT_PX);
  }

  private leave(event: PointerEvent): void {
    if (event.pointerType !== "touch") this.hand.hover(undefined);
  }

  /** Ends what the active pointer does. */
  private release(cancel: boolean): void {
    const { mode } = this;
    this.mode = "idle";
    this.active = -1;
    delete this.element.dataset.hand;
    if (mode === "tap" && !cancel && this.gone <= TENTATIVE_PX) this.hand.tap(this.start);
    if (mode !== "draw") return;
    if (cancel) {
      clearTimeout(this.tentative);
      this.tentative = undefined;
      this.hand.cancelStroke();
    } else {
      this.hand.endStroke();
      this.keep();
    }
  }

  private keep(): void {
    if (this.tentative === undefined) return;
    clearTimeout(this.tentative);
    this.tentative = undefined;
    this.hand.keepStroke();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const speed = event.ctrlKey ? PINCH_SPEED : WHEEL_SPEED;
    this.hand.zoom(this.point(event), Math.exp(-event.deltaY * lines * speed));
  }

  private point(event: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private sample(event: PointerEvent): PointerSample {
    const at = this.point(event);
    const pressure = this.pressure(event);
    const elapsed = event.timeStamp - this.lastTime;
    const distance = Math.hypot(at.x - this.last.x, at.y - this.last.y);
    const speed = pressure === undefined && elapsed > 0 ? distance / elapsed : undefined;
    this.last = at;
    this.gone += distance;
    this.lastTime = event.timeStamp;
    return { ...at, pressure, speed };
  }

  /**
   * A pen feels pressure; a finger where the screen does: others report a constant, as a mouse
   * does.
   */
  private pressure(event: PointerEvent): number | undefined {
    if (event.pointerType === "pen") return event.pressure;
    if (event.pointerType !== "touch") return undefined;
    this.feelsForce = this.feelsForce || ![0, 0.5, 1].includes(event.pressure);
    return this.feelsForce ? event.pressure : undefined;
  }
}

/** Whether the event's button is down. */
function pressed({ button, buttons }: PointerEvent): boolean {
  return button === 0 ? (buttons & LEFT) !== 0 : button === 1 && (buttons & MIDDLE) !== 0;
}

/**
 * The places since the last event; only the newest on pages that came over plain HTTP, where
 * browsers leave the others out.
 */
function coalesced(event: PointerEvent): readonly PointerEvent[] {
  const events = event.getCoalescedEvents?.() ?? [];
  return events.length > 0 ? events : [event];
}
