/**
 * Drawing with the keyboard: Enter sets the brush down in the middle of what is seen, the arrows
 * move it, Enter lifts it and sets it down again, Escape ends.
 */
import type { Point } from "../view/view";

export interface KeyboardPenHost {
  /** The middle of the stage, in CSS pixels. */
  middle(): Point;
  /** A place as near to that as the stage has. */
  within(at: Point): Point;
  /** The brush is there; undefined where there is none any more. */
  show(at: Point | undefined): void;
  begin(at: Point): boolean;
  move(at: Point): void;
  end(): void;
}

const STEP = 12;

export class KeyboardPen {
  private readonly host: KeyboardPenHost;
  private at: Point | undefined;
  private down = false;

  constructor(host: KeyboardPenHost) {
    this.host = host;
  }

  get active(): boolean {
    return this.at !== undefined;
  }

  /** Sets the brush down, or lifts it. */
  toggle(): void {
    this.at ??= this.host.middle();
    this.host.show(this.at);
    if (this.down) this.lift();
    else this.down = this.host.begin(this.at);
  }

  /** Moves the brush by steps. */
  step(dx: number, dy: number): void {
    if (!this.at) return;
    this.at = this.host.within({ x: this.at.x + dx * STEP, y: this.at.y + dy * STEP });
    this.host.show(this.at);
    if (this.down) this.host.move(this.at);
  }

  /** False where there was no brush. */
  stop(): boolean {
    if (!this.active) return false;
    if (this.down) this.lift();
    this.at = undefined;
    this.host.show(undefined);
    return true;
  }

  private lift(): void {
    this.down = false;
    this.host.end();
  }
}
