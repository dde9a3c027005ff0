/** What the page says where there are no movies to show. */
import { element } from "../browser/dom";
import { WORDS } from "./messages";

export type Stage = "loading" | "empty" | "failed" | "none";

export class PageState {
  private readonly root = element("state", HTMLElement);
  private readonly words = element("state-words", HTMLElement);
  private readonly hint = element("state-hint", HTMLElement);
  private readonly draw = element("state-draw", HTMLAnchorElement);
  private readonly again = element("state-again", HTMLButtonElement);

  constructor(again: () => void) {
    this.again.addEventListener("click", again);
    this.draw.textContent = WORDS.drawNow;
    this.again.textContent = WORDS.again;
  }

  show(stage: Stage): void {
    this.root.dataset.stage = stage;
    this.words.textContent = {
      loading: WORDS.loading,
      empty: WORDS.empty,
      failed: WORDS.failed,
      none: "",
    }[stage];
    this.hint.textContent = {
      loading: "",
      empty: WORDS.emptyHint,
      failed: WORDS.failedHint,
      none: "",
    }[stage];
    this.draw.hidden = stage !== "empty";
    this.again.hidden = stage !== "failed";
  }
}
