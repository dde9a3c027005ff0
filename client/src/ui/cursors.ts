/**
 * Where the others point: a pointer with a name for each, which fades when nothing is heard of it.
 */

import { cssColor, element } from "../browser/dom";
import type { CursorEvent } from "../gen/dreamcanvas_pb";
import { cleanName } from "../storage/preferences";
import { type Point, toScreen, type View } from "../view/view";
import { animalWords, hueOf } from "./status_words";

interface Shown {
  readonly root: HTMLElement;
  readonly label: HTMLElement;
  readonly tip: HTMLElement;
  at: Point;
  name: string | undefined;
  timer: ReturnType<typeof setTimeout>;
}

const SILENCE_MS = 8000;
/** More pointers are not shown: nobody would find one among them. */
const MOST = 40;

export class Cursors {
  private readonly layer = element("cursors", HTMLElement);
  private readonly shown = new Map<number, Shown>();
  private readonly view: () => View;

  constructor(view: () => View) {
    this.view = view;
  }

  /** Shows where somebody points. */
  move({ author, pos, down, color, name }: CursorEvent): void {
    let cursor = this.shown.get(author);
    if (!cursor) {
      if (this.shown.size >= MOST) return;
      cursor = this.make(author);
      this.shown.set(author, cursor);
    }
    clearTimeout(cursor.timer);
    cursor.timer = setTimeout(() => this.remove(author), SILENCE_MS);
    cursor.at = { x: pos?.x ?? 0, y: pos?.y ?? 0 };
    if (name !== cursor.name) {
      cursor.name = name;
      cursor.label.textContent = cleanName(name) || animalWords(author);
    }
    cursor.root.dataset.down = String(down);
    cursor.tip.style.background = cssColor(color);
    this.place(cursor);
  }

  /** The canvas lies elsewhere on the screen: puts all pointers where they belong. */
  viewChanged(): void {
    for (const cursor of this.shown.values()) this.place(cursor);
  }

  /** Removes all pointers. */
  clear(): void {
    for (const author of [...this.shown.keys()]) this.remove(author);
  }

  private make(author: number): Shown {
    const root = document.createElement("div");
    root.className = "cursor";
    root.style.setProperty("--hue", String(hueOf(author)));
    const tip = document.createElement("i");
    const label = document.createElement("span");
    label.dir = "auto"; // names are of any script
    root.append(tip, label);
    this.layer.append(root);
    const timer = setTimeout(() => {}, 0);
    return { root, label, tip, at: { x: 0, y: 0 }, name: undefined, timer };
  }

  private place({ root, at }: Shown): void {
    const { x, y } = toScreen(this.view(), at);
    root.style.transform = `translate(${x}px, ${y}px)`;
  }

  private remove(author: number): void {
    const cursor = this.shown.get(author);
    if (!cursor) return;
    clearTimeout(cursor.timer);
    cursor.root.remove();
    this.shown.delete(author);
  }
}
