import { element } from "./dom";

/** A sentence that is shown for a moment, in the page's element `#toast`. */
export class Toast {
  private readonly box = element("toast", HTMLElement);
  private readonly shownMs: number;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(shownMs: number) {
    this.shownMs = shownMs;
  }

  say(text: string): void {
    // Screen readers read a live region out again whenever it is written to.
    if (this.box.textContent !== text) this.box.textContent = text;
    this.box.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), this.shownMs);
  }

  hide(): void {
    this.box.hidden = true;
  }
}
