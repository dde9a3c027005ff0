/** Draws strokes of the brush where a pointer goes on the stage. */
import type { OwnInk } from "../sync/own_ink";
import type { Sync } from "../sync/sync";
import type { BrushSettings } from "../ui/brush_settings";
import { toCanvas, type View } from "../view/view";
import type { PointerSample } from "./pointers";
import { Stroke } from "./stroke";

export class Brushwork {
  private readonly sync: Sync;
  private readonly settings: BrushSettings;
  private readonly view: () => View;
  private readonly changed: () => void;
  private stroke: Stroke | undefined;

  /** `changed` is called when ink was drawn. */
  constructor(sync: Sync, settings: BrushSettings, view: () => View, changed: () => void) {
    this.sync = sync;
    this.settings = settings;
    this.view = view;
    this.changed = changed;
  }

  get drawing(): boolean {
    return this.stroke !== undefined;
  }

  /** Begins a stroke. Returns false where nothing may be drawn now. */
  begin(at: PointerSample, tentative: boolean): boolean {
    if (this.sync.readOnly || this.sync.ink.outbox.full) return false;
    const { size, color } = this.settings;
    this.stroke = new Stroke(this.sync.ink.nextStroke(), size, color, this.sample(at));
    this.sync.ink.outbox.hold(tentative);
    this.draw(this.stroke.begin());
    return true;
  }

  move(samples: readonly PointerSample[]): void {
    for (const each of samples) this.draw(this.stroke?.move(this.sample(each)) ?? []);
  }

  /** The tentative stroke is meant: it may be sent. */
  keep(): void {
    this.sync.ink.outbox.hold(false);
    this.changed();
  }

  end(): void {
    this.draw(this.stroke?.finish() ?? []);
    this.stroke = undefined;
    this.changed();
  }

  /** Takes the stroke back, which was not meant: at once, or by the server where it was sent. */
  cancel(): void {
    this.sync.ink.outbox.hold(false);
    if (this.stroke) this.sync.ink.takeBack(this.stroke.number);
    this.stroke = undefined;
    this.changed();
  }

  private draw(dabs: Parameters<OwnInk["draw"]>[1]): void {
    if (this.stroke && dabs.length > 0) this.sync.ink.draw(this.stroke.number, dabs);
    this.changed();
  }

  private sample({ x, y, pressure, speed }: PointerSample) {
    return { ...toCanvas(this.view(), { x, y }), pressure, speed };
  }
}
