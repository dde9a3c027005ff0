/** Says in words how things stand. */
import { element } from "./dom";
import { type Affairs, noticeWords, statusWords } from "./words";

const TOAST_MS = 4000;

export class StatusLine {
  private readonly here = element("here", HTMLElement);
  private readonly dream = element("dream", HTMLElement);
  private readonly notice = element("notice", HTMLElement);
  private readonly toast = element("toast", HTMLElement);
  private wasOffline = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  show(affairs: Affairs): void {
    const { here, dream } = statusWords(affairs);
    setText(this.here, here);
    setText(this.dream, dream);
    const notice = noticeWords(affairs);
    this.notice.hidden = notice === undefined;
    if (notice) {
      setText(this.notice, notice.text);
      this.notice.dataset.tone = notice.tone;
    }
    if (affairs.phase === "offline") {
      this.wasOffline = this.wasOffline || affairs.hasPicture;
    } else if (this.wasOffline && affairs.phase === "live" && affairs.waiting === 0) {
      this.wasOffline = false;
      this.say("Back again. All that you drew has arrived.");
    }
  }

  /** Says something that passes. */
  say(text: string): void {
    setText(this.toast, text);
    this.toast.hidden = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.toast.hidden = true;
    }, TOAST_MS);
  }
}

/** A live region is read out again whenever it is written to. */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
