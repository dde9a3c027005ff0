/** Shows the words of `status_words` on the page. */

import { element } from "../browser/dom";
import type { Toast } from "../browser/toast";
import { words } from "../words/words";
import { agoWords, noticeWords, type Situation, statusWords } from "./status_words";

export class StatusLine {
  private readonly here = element("here", HTMLElement);
  private readonly dream = element("dream", HTMLElement);
  private readonly ago = element("ago", HTMLElement);
  private readonly notice = element("notice", HTMLElement);
  private readonly now: () => number;
  private readonly toast: Toast;
  private wasOffline = false;
  private dreamt: number | undefined;

  /** `now` is the server's time, ms since 1970. */
  constructor(now: () => number, toast: Toast) {
    this.now = now;
    this.toast = toast;
  }

  /** `dreamt` is when the newest dream was made, ms since 1970, where it is known. */
  show(situation: Situation, dreamt: number | undefined): void {
    const { here, dream } = statusWords(situation);
    setText(this.here, here);
    setText(this.dream, dream);
    this.dreamt = dream === "" ? undefined : dreamt;
    this.tick();
    const notice = noticeWords(situation);
    this.notice.hidden = notice === undefined;
    if (notice) {
      setText(this.notice, notice.text);
      this.notice.dataset.tone = notice.tone;
    }
    if (situation.phase === "offline") {
      this.wasOffline = this.wasOffline || situation.hasPicture;
    } else if (this.wasOffline && situation.phase === "live" && situation.waiting === 0) {
      this.wasOffline = false;
      this.toast.say(words.toast.back);
    }
  }

  /**
   * Shows how long ago it dreamt. Not in the live region: screen readers would read it out every
   * second.
   */
  tick(): void {
    setText(this.ago, this.dreamt === undefined ? "" : agoWords(this.now() - this.dreamt));
  }
}

/**
 * Writes a text where it is another: screen readers read a live region out whenever it is written
 * to.
 */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
