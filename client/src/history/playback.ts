/**
 * What shows the dreams of a movie: `VideoPlayback` a video, `FramePlayback` one picture after the
 * other.
 */
import type { Rendition } from "./api";

export interface Playback {
  /** Where the movie is: set at once by `show`, also while the picture is still on its way. */
  readonly index: number;
  /** The frame that can be seen; -1 before the first. */
  readonly shown: number;
  readonly playing: boolean;
  /** The picture of `index` is awaited. */
  readonly waiting: boolean;
  readonly failed: boolean;
  readonly element: HTMLElement;
  show(index: number): void;
  play(): void;
  pause(): void;
  setSpeed(speed: number): void;
  setLoop(loop: boolean): void;
  /** Tries again after a failure. */
  retry(): void;
  dispose(): void;
}

export interface PlaybackListener {
  /** `index` or `shown` has changed. */
  moved(): void;
  /** `playing`, `waiting` or `failed` has changed. */
  changed(): void;
}

/**
 * Returns the smallest rendition that is sharp at so many device pixels, or nearly; the largest
 * where none is; undefined where there are none.
 */
export function renditionFor(
  renditions: readonly Rendition[],
  pixels: number,
): Rendition | undefined {
  const byWidth = [...renditions].sort((a, b) => a.width - b.width);
  return byWidth.find(({ width }) => width >= pixels * 0.85) ?? byWidth.at(-1);
}
