/** The keyboard's shortcuts. */
import { isControl, shortcut } from "../browser/keyboard";

export interface KeyCommands {
  panning(on: boolean): void;
  zoom(factor: number): void;
  fit(): void;
  pan(dx: number, dy: number): void;
  size(direction: 1 | -1): void;
  color(index: number): void;
  palette(): void;
  undo(): void;
  pick(): void;
  story(): void;
  help(): void;
  /** Ends the present mode, or closes a panel. */
  escape(): void;
  /** `B` is held, or no longer. */
  before(on: boolean): void;
  /** Enter on the canvas: the keyboard's brush. */
  pen(): void;
}

const ZOOM_STEP = 1.25;
const PAN_STEP = 80;

/** Keys that do something besides those of `commandsByKey`. */
const OTHER_KEYS = ["1", "2", "3", "4", "5", "6", "7", "b", " ", "Enter", "Escape"];

/** Listens to the page's keyboard from now on. */
export function listenToKeys(commands: KeyCommands): void {
  const shortcuts = new Shortcuts(commands);
  addEventListener("keydown", (event) => shortcuts.pressed(event));
  addEventListener("keyup", (event) => shortcuts.released(event));
  addEventListener("blur", () => shortcuts.releaseAll());
}

class Shortcuts {
  private readonly commands: KeyCommands;
  private readonly plain: Record<string, () => void>;
  private readonly known: ReadonlySet<string>;
  /**
   * The `code` of the key that is held to look back: when it is let go it may write something else.
   */
  private looking: string | undefined;

  constructor(commands: KeyCommands) {
    this.commands = commands;
    this.plain = commandsByKey(commands);
    this.known = new Set([...Object.keys(this.plain), ...OTHER_KEYS]);
  }

  pressed(event: KeyboardEvent): void {
    // An open dialog has the keyboard to itself.
    if (document.querySelector("dialog[open]") || isForInput(event)) return;
    const control = isControl(event, "z");
    const key = control ? "z" : shortcut(event, this.known);
    if (key !== undefined && this.does(key, event)) event.preventDefault();
  }

  released(event: KeyboardEvent): void {
    if (
      this.looking !== undefined &&
      (event.code === this.looking || event.key.toLowerCase() === "b")
    ) {
      this.lookBack(undefined);
    }
    if (event.code !== "Space" && event.key !== " ") return;
    if (!isFocusedByKeyboard(event.target)) event.preventDefault();
    this.commands.panning(false);
  }

  /** The window lost the focus: it does not hear which keys are let go. */
  releaseAll(): void {
    this.commands.panning(false);
    this.lookBack(undefined);
  }

  /**
   * Does what a key is for. Returns false where the browser should do what it does with the key,
   * too.
   */
  private does(key: string, event: KeyboardEvent): boolean {
    switch (key) {
      case " ":
        // A button that the keyboard has reached keeps its space bar.
        if (isFocusedByKeyboard(event.target)) return false;
        this.commands.panning(true);
        return true;
      case "Escape":
        this.commands.escape();
        return false; // the browser closes popovers by it
      case "b":
        this.lookBack(event.code, event.repeat);
        return true;
      case "Enter":
        if (!(event.target instanceof HTMLCanvasElement)) return false;
        this.commands.pen();
        return true;
      default:
        if (this.plain[key]) this.plain[key]();
        else this.commands.color(Number(key) - 1);
        return true;
    }
  }

  private lookBack(held: string | undefined, repeat = false): void {
    this.looking = held;
    if (!repeat) this.commands.before(held !== undefined);
  }
}

function commandsByKey(commands: KeyCommands): Record<string, () => void> {
  return {
    "+": () => commands.zoom(ZOOM_STEP),
    "=": () => commands.zoom(ZOOM_STEP),
    "-": () => commands.zoom(1 / ZOOM_STEP),
    "0": () => commands.fit(),
    "[": () => commands.size(-1),
    "]": () => commands.size(1),
    p: () => commands.palette(),
    i: () => commands.pick(),
    s: () => commands.story(),
    z: () => commands.undo(),
    "?": () => commands.help(),
    ArrowLeft: () => commands.pan(PAN_STEP, 0),
    ArrowRight: () => commands.pan(-PAN_STEP, 0),
    ArrowUp: () => commands.pan(0, PAN_STEP),
    ArrowDown: () => commands.pan(0, -PAN_STEP),
  };
}

/** A slider needs the arrows for itself, other inputs need every key. */
function isForInput({ target, key }: KeyboardEvent): boolean {
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return target.type !== "range" || key.startsWith("Arrow");
}

function isFocusedByKeyboard(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement && target.matches(":focus-visible");
}
