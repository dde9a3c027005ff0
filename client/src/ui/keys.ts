/** The keyboard's short cuts. */

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
  addEventListener("keydown", (event) => {
    // An open dialog has the keyboard to itself.
    if (document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    if (
      control &&
      !event.altKey &&
      !event.shiftKey &&
      event.key.toLowerCase() === "z" &&
      !isForInput(event)
    ) {
      event.preventDefault();
      commands.undo();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isForInput(event)) return;
    if (event.key === " ") {
      // A button that the keyboard has reached keeps its space bar.
      if (isFocusedByKeyboard(event.target)) return;
      event.preventDefault();
      commands.panning(true);
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const command = plain[key];
    if (key === "Escape") {
      commands.escape();
      return; // and closes what the browser closes by it
    }
    if (key === "b") {
      if (!event.repeat) commands.before(true);
    } else if (key === "Enter") {
      if (!(event.target instanceof HTMLCanvasElement)) return;
      commands.pen();
    } else if (command) command();
    else if (/^[1-7]$/.test(event.key)) commands.color(Number(event.key) - 1);
    else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "b") commands.before(false);
    if (event.key !== " ") return;
    if (!isFocusedByKeyboard(event.target)) event.preventDefault();
    commands.panning(false);
  });
  addEventListener("blur", () => {
    commands.panning(false);
    commands.before(false);
  });
}

/** A slider needs the arrows for itself, other inputs need every key. */
function isForInput({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLInputElement)) return false;
  return target.type !== "range" || key.startsWith("Arrow");
}

function isFocusedByKeyboard(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement && target.matches(":focus-visible");
}
