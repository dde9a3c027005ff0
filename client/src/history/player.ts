/**
 * The player: a dialog with the picture, the time line, the controls and what is known of the
 * movie.
 */
import { copyText } from "../browser/clipboard";
import { element } from "../browser/dom";
import { HALF_SIDE } from "../browser/server";
import { Toast } from "../browser/toast";
import type { Past } from "./api";
import { Clock, speedWords } from "./formats";
import { FramePlayback } from "./frame_playback";
import { WORDS } from "./messages";
import { clamp, linkTo } from "./moments";
import { Panel } from "./panel";
import { type Playback, renditionFor } from "./playback";
import type { Reel } from "./reel";
import { listenToKeys } from "./shortcuts";
import { TimelineSlider } from "./timeline_slider";
import { VideoPlayback } from "./video_playback";

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const ADDRESS_MS = 200;
const TOLD_MS = 1000;
const TOAST_MS = 3000;

export interface PlayerListener {
  /** The fragment that the page's address should have now that the movie rests. */
  address(fragment: string): void;
  closed(): void;
}

export class Player {
  reel: Reel | undefined;
  private readonly dialog = element("player", HTMLDialogElement);
  private readonly picture = element("picture", HTMLElement);
  private readonly trouble = element("trouble", HTMLElement);
  private readonly troubleWords = element("trouble-words", HTMLElement);
  private readonly troubleHint = element("trouble-hint", HTMLElement);
  private readonly troubleAgain = element("trouble-again", HTMLButtonElement);
  private readonly clockWords = element("clock", HTMLElement);
  private readonly placeWords = element("place", HTMLElement);
  private readonly playButton = element("play", HTMLButtonElement);
  private readonly loopButton = element("loop", HTMLButtonElement);
  private readonly speedSelect = element("speed", HTMLSelectElement);
  private readonly toast = new Toast(TOAST_MS);
  private readonly panel = new Panel((index) => this.seek(index));
  private readonly slider: TimelineSlider;
  private readonly listener: PlayerListener;
  private playback: Playback | undefined;
  private facts: Past | undefined;
  private clock = new Clock("UTC");
  private looping = false;
  private speed = 1;
  private scrubbing = false;
  private resume = false;
  private again: (() => void) | undefined;
  private told = 0;
  private addressTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: PlayerListener) {
    this.listener = listener;
    this.slider = new TimelineSlider({
      seek: (index) => this.seek(index),
      scrub: (on) => this.scrub(on),
    });
    for (const speed of SPEEDS) this.speedSelect.add(new Option(speedWords(speed), String(speed)));
    this.speedSelect.value = "1";
    this.speedSelect.addEventListener("change", () =>
      this.setSpeed(Number(this.speedSelect.value)),
    );
    this.troubleAgain.textContent = WORDS.again;
    const clicks: [string, () => void][] = [
      ["play", () => this.toggle()],
      ["picture", () => this.toggle()],
      ["back", () => this.step(-1)],
      ["forth", () => this.step(1)],
      ["loop", () => this.toggleLoop()],
      ["share", () => void this.share()],
      ["close", () => this.close()],
      ["trouble-again", () => this.again?.()],
    ];
    for (const [id, act] of clicks) element(id, HTMLElement).addEventListener("click", act);
    listenToKeys(this.dialog, {
      toggle: () => this.toggle(),
      step: (dreams) => this.step(dreams),
      skip: (seconds) => this.step(seconds * (this.facts?.fps ?? 30)),
      first: () => this.seek(0),
      last: () => this.seek(Number.POSITIVE_INFINITY),
      faster: (direction) => {
        const at = clamp(SPEEDS.indexOf(this.speed) + direction, 0, SPEEDS.length - 1);
        this.setSpeed(SPEEDS[at]);
      },
      loop: () => this.toggleLoop(),
    });
    this.dialog.addEventListener("close", () => {
      this.clear();
      listener.closed();
    });
  }

  /** Opens a reel at a frame. `remark` says why it is something else than was asked for. */
  open(reel: Reel, index: number, facts: Past, options: { play: boolean; remark: string }): void {
    this.clear();
    this.facts = facts;
    this.clock = new Clock(facts.timezone);
    this.reel = reel;
    if (!this.dialog.open) this.dialog.showModal();
    this.fill(reel, options.remark);
    this.begin(reel, index);
    element("track", HTMLElement).focus();
    if (options.play) this.playback?.play();
  }

  /** Opens the player while what it is to show is being fetched. */
  expect(): void {
    this.clear();
    this.panel.clear(WORDS.opening);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.dataset.state = "opening";
  }

  /** Says that the link leads to nothing that can be shown. */
  miss(why: "noSuch" | "gone"): void {
    this.panel.clear(WORDS[why]);
    this.showTrouble([WORDS[why], WORDS[`${why}Hint`]]);
    this.dialog.dataset.state = "missing";
  }

  /** Says that the server did not answer; `again` tries once more. */
  fail(again: () => void): void {
    this.panel.clear(WORDS.failed);
    this.showTrouble([WORDS.failed, WORDS.failedHint], again);
    this.dialog.dataset.state = "unreachable";
  }

  /** Goes on with the same reel, which has more dreams or a movie by now. */
  update(reel: Reel): void {
    const { reel: before, playback } = this;
    if (!before || !playback || before.name !== reel.name) return;
    if (
      before.dreams.length === reel.dreams.length &&
      before.recording.state === reel.recording.state
    )
      return;
    this.reel = reel;
    this.fill(reel, "");
    if (playback instanceof FramePlayback && reel.recording.renditions.length === 0) {
      playback.extend(reel.dreams);
      this.show();
      return;
    }
    const { playing } = playback;
    const index = reel.dreams.indexOf(before.dreams[playback.index]);
    playback.dispose();
    this.begin(reel, Math.max(0, index));
    if (playing) this.playback?.play();
    this.toast.say(WORDS.movieReady);
  }

  setNeighbours(earlier: number | undefined, later: number | undefined): void {
    this.panel.setNeighbours(earlier, later);
  }

  close(): void {
    if (this.dialog.open) this.dialog.close();
  }

  private fill(reel: Reel, remark: string): void {
    this.panel.open(reel, this.clock, remark);
    this.slider.open(reel, this.clock, this.facts?.thumbnails ?? 100);
  }

  private begin(reel: Reel, index: number): void {
    const { renditions } = reel.recording;
    const pixels = this.picture.clientWidth * devicePixelRatio;
    const rendition = renditionFor(renditions, pixels);
    const listener = { moved: () => this.show(), changed: () => this.show() };
    const playback: Playback = rendition
      ? new VideoPlayback(rendition.url, reel.dreams.length, this.facts?.fps ?? 30, listener)
      : new FramePlayback(reel.dreams, pixels > HALF_SIDE, listener);
    this.playback = playback;
    playback.setLoop(this.looping);
    playback.setSpeed(this.speed);
    this.picture.replaceChildren(playback.element);
    Object.assign(this.dialog.dataset, { kind: rendition ? "movie" : "frames", name: reel.name });
    playback.show(index);
  }

  private clear(): void {
    clearTimeout(this.addressTimer);
    this.playback?.dispose();
    this.playback = undefined;
    this.reel = undefined;
    this.scrubbing = false;
    this.showTrouble(undefined);
    this.picture.replaceChildren();
    this.toast.hide();
    this.dialog.dataset.state = "opening";
  }

  private toggle(): void {
    const { playback } = this;
    if (!playback) return;
    if (playback.playing) playback.pause();
    else playback.play();
  }

  private seek(index: number): void {
    const count = this.reel?.dreams.length ?? 0;
    if (count > 0) this.playback?.show(clamp(index, 0, count - 1));
  }

  private step(dreams: number): void {
    const { playback } = this;
    if (!playback) return;
    if (playback.playing && Math.abs(dreams) === 1) playback.pause();
    this.seek(playback.index + dreams);
  }

  private scrub(on: boolean): void {
    this.scrubbing = on;
    if (on) {
      this.resume = this.playback?.playing ?? false;
      this.playback?.pause();
    } else if (this.resume) this.playback?.play();
    else this.show();
  }

  private setSpeed(speed: number): void {
    this.speed = speed;
    this.speedSelect.value = String(speed);
    this.playback?.setSpeed(speed);
  }

  private toggleLoop(): void {
    this.looping = !this.looping;
    this.loopButton.setAttribute("aria-pressed", String(this.looping));
    this.playback?.setLoop(this.looping);
  }

  /** Shows where the movie is and whether it plays. Called for each frame. */
  private show(): void {
    const { playback, reel, dialog } = this;
    if (!playback || !reel) return;
    const { index, shown, playing, waiting, failed } = playback;
    const state = failed ? "failed" : playing ? "playing" : "paused";
    this.playButton.setAttribute("aria-label", playing ? WORDS.pause : WORDS.play);
    this.clockWords.textContent = this.clock.toSecond(reel.times[index]);
    this.placeWords.textContent = `${index + 1} / ${reel.dreams.length}`;
    const now = performance.now();
    const told = !playing || now - this.told > TOLD_MS;
    if (told) this.told = now;
    this.slider.place(index, told);
    this.panel.place(reel, index);
    const movie = dialog.dataset.kind === "movie";
    const words = movie
      ? ([WORDS.movieFailed, WORDS.movieFailedHint] as const)
      : ([WORDS.picturesFailed, WORDS.failedHint] as const);
    if (failed) this.showTrouble(words, () => playback.retry());
    else this.showTrouble(undefined);
    Object.assign(dialog.dataset, { state, waiting, index, shown, dream: reel.dreams[index] });
    clearTimeout(this.addressTimer);
    if (playing || this.scrubbing) return;
    const fragment = reel.kind === "day" ? `#${reel.name}` : linkTo(reel.times, index);
    this.addressTimer = setTimeout(() => this.listener.address(fragment), ADDRESS_MS);
  }

  /**
   * Shows a sentence and a hint in place of the picture, and a button that calls `again` where that
   * is given. Shows none of it where `words` is undefined.
   */
  private showTrouble(words: readonly [string, string] | undefined, again?: () => void): void {
    this.again = again;
    this.troubleAgain.hidden = again === undefined;
    if (this.trouble.hidden === (words === undefined)) return;
    this.trouble.hidden = words === undefined;
    [this.troubleWords.textContent, this.troubleHint.textContent] = words ?? ["", ""];
  }

  private async share(): Promise<void> {
    const { playback, reel } = this;
    if (!playback || !reel) return;
    const fragment = linkTo(reel.times, playback.index);
    if (await copyText(`${location.origin}${location.pathname}${fragment}`)) {
      this.toast.say(WORDS.copied);
    } else {
      playback.pause();
      this.listener.address(fragment);
      this.toast.say(WORDS.notCopied);
    }
  }
}
