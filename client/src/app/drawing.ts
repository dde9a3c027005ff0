/** The brush: how pointers and keys move it, and what a tap, a stroke and an undo do. */
import type { Toast } from "../browser/toast";
import { Brushwork } from "../ink/brushwork";
import { KeyboardPen } from "../ink/keyboard_pen";
import { type Hand, type PointerSample, Pointers } from "../ink/pointers";
import { BrushRing } from "../ui/brush_ring";
import { loadBrush } from "../ui/brush_settings";
import type { ModeSwitch } from "../ui/mode";
import { Toolbar } from "../ui/toolbar";
import type { Point } from "../view/view";
import { words } from "../words/words";
import type { Connecting } from "./connecting";
import type { Dreaming } from "./dreaming";
import type { Looking } from "./looking";

export interface DrawingParts {
  readonly looking: Looking;
  readonly connecting: Connecting;
  readonly dreaming: Dreaming;
  readonly mode: ModeSwitch;
  readonly toast: Toast;
  /** Called when ink was drawn, kept or taken back. */
  changed(): void;
}

export class Drawing {
  readonly toolbar: Toolbar;
  readonly pen: KeyboardPen;
  private readonly parts: DrawingParts;
  private readonly ring: BrushRing;
  private readonly brushwork: Brushwork;
  private readonly pointers: Pointers;

  constructor(parts: DrawingParts) {
    const { looking, connecting, changed } = parts;
    this.parts = parts;
    this.ring = new BrushRing(() => looking.view.scale);
    this.toolbar = new Toolbar(loadBrush(), (adjusting) =>
      this.ring.resize(this.toolbar.settings.size, adjusting),
    );
    this.brushwork = new Brushwork(
      connecting.sync,
      this.toolbar.settings,
      () => looking.view,
      changed,
    );
    this.pen = this.keyboardPen();
    this.pointers = new Pointers(looking.stage, this.hand());
  }

  /** The view was moved or zoomed. */
  viewChanged(): void {
    this.toolbar.zoomed(this.parts.looking.view.scale);
    this.ring.resize(this.toolbar.settings.size, false);
  }

  /** Takes the newest stroke back. */
  undo(): void {
    if (this.brushwork.drawing) return;
    const { ink } = this.parts.connecting.sync;
    if (ink.canUndo) ink.undo();
    else this.parts.toast.say(words.toast.nothingToUndo);
  }

  /** Whether the pointer moves the canvas instead of drawing from now on. */
  setPanning(on: boolean): void {
    this.pointers.setPanning(on);
  }

  /** The arrow keys move the keyboard's brush where it is set down, else the canvas. */
  moveByKeys(dx: number, dy: number): void {
    if (this.pen.active) this.pen.step(-Math.sign(dx), -Math.sign(dy));
    else this.parts.looking.camera.pan(dx, dy);
  }

  /** Enter: sets the keyboard's brush down, or lifts it. */
  togglePen(): void {
    if (!this.pen.active) this.parts.toast.say(words.toast.keyboardPen);
    this.pen.toggle();
  }

  private tap(at: Point): void {
    const { mode, looking, dreaming } = this.parts;
    this.pen.stop();
    if (mode.current === "story") {
      dreaming.tellStory(at);
      return;
    }
    const color = looking.colorAt(at);
    if (color !== undefined) this.toolbar.mix(color);
    mode.choose("draw");
  }

  private beginStroke(at: PointerSample, tentative: boolean): boolean {
    this.pen.stop();
    if (!this.brushwork.begin(at, tentative)) return false;
    document.documentElement.dataset.drawn = "true";
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return true;
  }

  private hand(): Hand {
    const { looking, connecting, mode } = this.parts;
    const { brushwork, toolbar } = this;
    return {
      taps: () => mode.current !== "draw",
      tap: (at) => this.tap(at),
      beginStroke: (at, tentative) => this.beginStroke(at, tentative),
      moveStroke: (samples) => brushwork.move(samples),
      keepStroke: () => brushwork.keep(),
      endStroke: () => brushwork.end(),
      cancelStroke: () => brushwork.cancel(),
      pan: (dx, dy) => looking.camera.pan(dx, dy),
      pinch: (from, to) => looking.camera.pinch(from, to),
      zoom: (at, factor) => looking.camera.zoom(factor, at),
      hover: (at) =>
        this.ring.move(mode.current === "draw" ? at : undefined, toolbar.settings.size),
      point: (at, down) =>
        connecting.point({ ...looking.toCanvas(at), down, color: toolbar.settings.color }),
    };
  }

  private keyboardPen(): KeyboardPen {
    const { camera } = this.parts.looking;
    const sample = (at: Point) => ({ ...at, pressure: undefined, speed: undefined });
    return new KeyboardPen({
      middle: () => ({ x: camera.stage.width / 2, y: camera.stage.height / 2 }),
      within: ({ x, y }) => ({
        x: Math.min(camera.stage.width, Math.max(0, x)),
        y: Math.min(camera.stage.height, Math.max(0, y)),
      }),
      show: (at) => this.ring.move(at, this.toolbar.settings.size),
      begin: (at) => this.brushwork.begin(sample(at), false),
      move: (at) => this.brushwork.move([sample(at)]),
      end: () => this.brushwork.end(),
    });
  }
}
