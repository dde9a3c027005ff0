/**
 * English messages of the history page. `messages_de.ts` has the same in German; one that is
 * missing does not compile.
 */
import { Counting } from "../text/count";
import type { Widened } from "../words/widened";

const counting = new Counting("en");

export const historyEn = {
  title: "History · Dreamcanvas",
  home: "Dreamcanvas: to the canvas",
  site: "Site",
  feed: "Feed of new movies (Atom)",
  feedTitle: "Feed of new movies",
  feedName: "Dreamcanvas: new movies",
  draw: "Draw",

  loading: "Fetching the history…",
  empty: "Nothing has been dreamt yet.",
  emptyHint:
    "Draw something, and it will be. Every dream is kept, and every other hour they become a movie.",
  drawNow: "Draw the first stroke",
  failed: "The history can’t be reached.",
  failedHint: "The server may be restarting, or your connection is down.",
  again: "Try again",

  days: "Days",
  dayFailed: "The movies of this day can’t be fetched.",
  dayMovie: "The day in a minute",
  more: "Earlier movies of this day",
  movies: (count: number) => counting.of(count, "movie", "movies"),
  dreams: (count: number) => counting.of(count, "dream", "dreams"),
  dabs: (count: number) => counting.of(count, "dab", "dabs"),
  nobody: "nobody drew",
  states: {
    RECORDING: "Recording",
    WAITING: "Movie to come",
    ENCODED: "Movie",
    EXPIRED: "No longer kept",
  },

  opening: "Opening…",
  noSuch: "There is no such moment.",
  noSuchHint: "The link leads to a time of which nothing is recorded.",
  tooEarly: "Nothing had been dreamt by then. This is the first dream.",
  tooLate: "That has not come yet. This is the newest dream.",
  gone: "This movie is no longer kept.",
  goneHint: "The oldest movies make room for new ones.",
  movieFailed: "The movie can’t be played.",
  movieFailedHint: "The connection was lost, or this browser can’t play H.264.",
  picturesFailed: "The dreams can’t be fetched.",
  soon: "Its movie is being made. Until then it is played from single frames.",
  recording:
    "It is still being recorded. It is played from single frames; new dreams are added at the end.",
  movieReady: "The movie is ready.",

  moment: "Moment",
  momentValue: (time: string, dream: number, dreams: number) =>
    `${time}, dream ${counting.write(dream)} of ${counting.write(dreams)}`,
  playing: "Playing",
  play: "Play",
  pause: "Pause",
  playTitle: "Play or pause (space)",
  back: "One dream back",
  backTitle: "One dream back (←)",
  forth: "One dream on",
  forthTitle: "One dream on (→)",
  speed: "Speed",
  speedTitle: "Speed (< and >)",
  loop: "Loop",
  loopTitle: "Loop (L)",
  share: "Copy a link to this moment",
  copied: "Link to this moment copied.",
  notCopied: "The link to this moment is in the address bar.",
  download: "Download",
  downloadMovie: (file: string) => `Download the movie, ${file}`,
  length: (duration: string) => `${duration} min`,
  styles: "Styles",
  others: "Other movies",
  earlier: "Earlier",
  later: "Later",

  keys: {
    title: "Keys",
    home: "Home",
    end: "End",
    play: "play, pause",
    dream: "one dream",
    second: "one second",
    ends: "first, last dream",
    speed: "slower, faster",
    loop: "loop",
    close: "close",
  },
};

export type HistoryMessages = Widened<typeof historyEn>;
