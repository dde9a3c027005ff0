/** What the next tap on the canvas does: draw, pick a colour, or tell the story of the place. */
export type Mode = "draw" | "pick" | "story";

export class ModeSwitch {
  private mode: Mode = "draw";
  private readonly changed: (mode: Mode) => void;

  constructor(changed: (mode: Mode) => void) {
    this.changed = changed;
  }

  get current(): Mode {
    return this.mode;
  }

  choose(mode: Mode): void {
    this.mode = mode;
    document.documentElement.dataset.mode = mode; // for the style sheets
    this.changed(mode);
  }

  /** Chooses a mode, or goes back to drawing where it is chosen already. */
  toggle(mode: Mode): void {
    this.choose(this.mode === mode ? "draw" : mode);
  }
}
