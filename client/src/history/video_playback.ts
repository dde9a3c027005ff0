/** Plays the movie of a window or a day: a video element that can be stepped by single frames. */
import { clamp, frameOf, positionOf } from "./moments";
import type { Playback, PlaybackListener } from "./playback";

/** So long after a seek its picture should be seen. */
const SEEN_MS = 400;
const MOST_REPEATS = 5;

export class VideoPlayback implements Playback {
  index = 0;
  shown = -1;
  failed = false;
  readonly element = document.createElement("video");
  private readonly count: number;
  private readonly fps: number;
  private readonly listener: PlaybackListener;
  /**
   * A frame to seek to when the seek that is under way has ended: a browser does one after the
   * other.
   */
  private next: number | undefined;
  private check: ReturnType<typeof setTimeout> | undefined;
  private repeats = 0;
  private wanted = false;
  private disposed = false;

  constructor(url: string, count: number, fps: number, listener: PlaybackListener) {
    this.count = count;
    this.fps = fps;
    this.listener = listener;
    const video = this.element;
    video.muted = true;
    video.playsInline = true;
    video.preload = "auto";
    video.disablePictureInPicture = true;
    video.tabIndex = -1;
    video.addEventListener("seeked", () => this.seeked());
    video.addEventListener("timeupdate", () => this.passed());
    video.addEventListener("ended", () => this.end());
    for (const name of ["play", "pause", "waiting", "playing", "canplay", "loadeddata"] as const)
      video.addEventListener(name, () => listener.changed());
    video.addEventListener("error", () => {
      if (this.disposed) return;
      this.failed = true;
      listener.changed();
    });
    video.src = url;
    this.watch();
  }

  get playing(): boolean {
    return this.wanted && !this.element.ended;
  }

  get waiting(): boolean {
    const { element } = this;
    return !this.failed && (element.seeking || element.readyState < (this.playing ? 3 : 2));
  }

  show(index: number): void {
    this.index = clamp(index, 0, this.count - 1);
    this.repeats = 0;
    if (this.element.seeking) this.next = this.index;
    else this.element.currentTime = positionOf(this.index, this.fps);
    this.listener.moved();
  }

  play(): void {
    if (this.index === this.count - 1) this.show(0);
    this.wanted = true;
    this.element.play().catch((error: unknown) => {
      // Paused or closed before it began; anything else has its error event or is the browser's
      // policy.
      if (this.disposed || (error instanceof DOMException && error.name === "AbortError")) return;
      this.wanted = false;
      this.listener.changed();
    });
    this.listener.changed();
  }

  pause(): void {
    const { element } = this;
    const moving = this.wanted && !element.ended;
    this.wanted = false;
    element.pause();
    // Rest in the middle of a frame, not between two.
    if (moving && !element.seeking) this.show(frameOf(element.currentTime, this.fps, this.count));
    this.listener.changed();
  }

  setSpeed(speed: number): void {
    this.element.defaultPlaybackRate = speed;
    this.element.playbackRate = speed;
  }

  setLoop(loop: boolean): void {
    this.element.loop = loop;
  }

  retry(): void {
    this.failed = false;
    this.element.load();
    this.show(this.index);
    this.listener.changed();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.check);
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load(); // lets go of the connection
    this.element.remove();
  }

  /** Follows the frames that can be seen. */
  private watch(): void {
    this.element.requestVideoFrameCallback((_, { mediaTime }) => {
      if (this.disposed) return;
      this.shown = clamp(Math.round(mediaTime * this.fps), 0, this.count - 1);
      // While it is paused or seeks, `show` has set the index: this frame may be an older one that
      // was still on its way.
      if (this.playing && !this.element.seeking) this.index = this.shown;
      this.listener.moved();
      this.watch();
    });
  }

  /** Follows the time while the page is hidden, when no frames are shown. */
  private passed(): void {
    if (!document.hidden || this.element.seeking || this.element.paused) return;
    this.index = frameOf(this.element.currentTime, this.fps, this.count);
    this.listener.moved();
  }

  private end(): void {
    this.wanted = false;
    this.index = this.count - 1;
    this.listener.moved();
  }

  private seeked(): void {
    const { next } = this;
    this.next = undefined;
    if (next !== undefined) this.element.currentTime = positionOf(next, this.fps);
    clearTimeout(this.check);
    this.check = setTimeout(() => this.insist(), SEEN_MS);
    this.listener.changed();
  }

  /**
   * Seeks again where the picture has not come: Chromium on a busy machine leaves one out now and
   * then.
   */
  private insist(): void {
    if (this.playing || document.hidden || this.element.seeking || this.shown === this.index)
      return;
    if (this.repeats === MOST_REPEATS) return;
    this.repeats += 1;
    // To another place in the same frame: browsers do nothing where the time is the same.
    this.element.currentTime =
      positionOf(this.index, this.fps) + (this.repeats % 2 ? 0.1 : 0) / this.fps;
  }
}
