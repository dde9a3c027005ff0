/** The player's keys. */
import { shortcut } from "../browser/keyboard";

export interface KeyCommands {
  toggle(): void;
  /** Moves so many dreams on. */
  step(dreams: number): void;
  /** Moves so many seconds of the movie on. */
  skip(seconds: number): void;
  first(): void;
  last(): void;
  faster(direction: 1 | -1): void;
  loop(): void;
}

export function listenToKeys(target: HTMLElement, commands: KeyCommands): void {
  const plain: Record<string, () => void> = {
    ArrowLeft: () => commands.step(-1),
    ArrowRight: () => commands.step(1),
    PageDown: () => commands.skip(-1),
    PageUp: () => commands.skip(1),
    Home: () => commands.first(),
    End: () => commands.last(),
    "<": () => commands.faster(-1),
    ">": () => commands.faster(1),
    l: () => commands.loop(),
  };
  const shifted: Record<string, () => void> = {
    ArrowLeft: () => commands.skip(-1),
    ArrowRight: () => commands.skip(1),
  };
  const known = new Set([...Object.keys(plain), " "]);
  target.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLSelectElement) return;
    const key = shortcut(event, known);
    if (key === undefined) return;
    if (key === " ") {
      if (keepsSpace(event.target)) return;
      event.preventDefault();
      if (!event.repeat) commands.toggle();
      return;
    }
    const command = (event.shiftKey && shifted[key]) || plain[key];
    if (!command) return;
    event.preventDefault();
    command();
  });
  target.addEventListener("keyup", (event) => {
    if (event.key === " " && !keepsSpace(event.target)) event.preventDefault();
  });
}

/** What the keyboard has reached keeps its space bar; what the mouse has clicked does not. */
function keepsSpace(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target instanceof HTMLSelectElement ||
    (target.matches("button, a, summary") && target.matches(":focus-visible"))
  );
}
