/**
 * The buttons besides the brush's: undo, pick a colour, look back before the dream, a place's
 * story, share, save.
 */

import { element } from "../browser/dom";
import { words } from "../words/words";
import type { Mode } from "./mode";
import { download, shareLink } from "./share";

export interface ActionsHost {
  undo(): void;
  pick(): void;
  story(): void;
  before(on: boolean): void;
  /** The address of the present view. */
  address(): string;
  picture(): Promise<Blob>;
  /** What the picture's file is called. */
  name(): string;
  say(text: string): void;
}

export class Actions {
  private readonly host: ActionsHost;
  private readonly undo = element("undo", HTMLButtonElement);
  private readonly before = element("before", HTMLButtonElement);
  private readonly pick = element("pick", HTMLButtonElement);
  private readonly story = element("story", HTMLButtonElement);

  constructor(host: ActionsHost) {
    this.host = host;
    this.undo.addEventListener("click", () => host.undo());
    this.pick.addEventListener("click", () => host.pick());
    this.story.addEventListener("click", () => host.story());
    element("share", HTMLButtonElement).addEventListener("click", () => void this.shareView());
    element("save", HTMLButtonElement).addEventListener("click", () => void this.savePicture());
    this.holdToLookBack();
  }

  show(mode: Mode): void {
    this.pick.setAttribute("aria-pressed", String(mode === "pick"));
    this.story.setAttribute("aria-pressed", String(mode === "story"));
  }

  enable({ undo, before }: { undo: boolean; before: boolean }): void {
    this.undo.disabled = !undo;
    this.before.disabled = !before;
  }

  private holdToLookBack(): void {
    const look = (on: boolean) => {
      if (on === (this.before.getAttribute("aria-pressed") === "true")) return;
      this.before.setAttribute("aria-pressed", String(on));
      this.host.before(on);
    };
    this.before.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.before.setPointerCapture(event.pointerId);
      look(true);
    });
    // With another button held, browsers send a move, not a pointerup, when the first one goes up.
    this.before.addEventListener("pointermove", ({ buttons }) => {
      if ((buttons & 1) === 0) look(false);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"])
      this.before.addEventListener(end, () => look(false));
    // A button is held by the keyboard's space bar or Enter, too; assistive software sends both
    // keys.
    this.before.addEventListener("keydown", ({ key }) => {
      if (key === " " || key === "Enter") look(true);
    });
    this.before.addEventListener("keyup", () => look(false));
    this.before.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  private async shareView(): Promise<void> {
    const done = await shareLink(this.host.address());
    if (done === "copied") this.host.say(words.toast.copied);
    else if (done === "refused") this.host.say(words.toast.notCopied);
  }

  private async savePicture(): Promise<void> {
    try {
      download(await this.host.picture(), this.host.name());
      this.host.say(words.toast.saved);
    } catch {
      this.host.say(words.toast.notSaved);
    }
  }
}
