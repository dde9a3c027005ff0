/** The keyboard's short cuts. */
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
  /** Ends what was begun: a mode, a panel. */
  escape(): void;
  /** `B` is held, or no longer. */
  before(on: boolean): void;
  /** Enter on the canvas: the keyboard's brush. */
  pen(): void;
}

const ZOOM_STEP = 1.25;
const PAN_STEP = 80;

export function listenToKeys(commands: KeyCommands): void {
  const plain: Record<string, () => void> = {
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
  const known = new Set([
    ...Object.keys(plain),
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "b",
    " ",
    "Enter",
    "Escape",
  ]);
  /** The key that is held to look back: it may write something else when it is let go. */
  let looking: string | undefined;
  addEventListener("keydown", (event) => {
    // An open dialog has the keyboard to itself.
    if (document.querySelector("dialog[open]")) return;
    if (isControl(event, "z") && !isForInput(event)) {
      event.preventDefault();
      commands.undo();
      return;
    }
    const key = isForInput(event) ? undefined : shortcut(event, known);
    if (key === undefined) return;
    if (key === " ") {
      // A button that the keyboard has reached keeps its space bar.
      if (isFocusedByKeyboard(event.target)) return;
      event.preventDefault();
      commands.panning(true);
      return;
    }
    const command = plain[key];
    if (key === "Escape") {
      commands.escape();
      return; // and closes what the browser closes by it
    }
    if (key === "b") {
      looking = event.code;
      if (!event.repeat) commands.before(true);
    } else if (key === "Enter") {
      if (!(event.target instanceof HTMLCanvasElement)) return;
      commands.pen();
    } else if (command) command();
    else commands.color(Number(key) - 1);
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (looking !== undefined && (event.code === looking || event.key.toLowerCase() === "b")) {
      looking = undefined;
      commands.before(false);
    }
    if (event.code !== "Space" && event.key !== " ") return;
    if (!isFocusedByKeyboard(event.target)) event.preventDefault();
    commands.panning(false);
  });
  addEventListener("blur", () => {
    looking = undefined;
    commands.panning(false);
    commands.before(false);
  });
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
