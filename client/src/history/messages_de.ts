/** Deutsche Texte der Verlaufsseite, mit denselben Namen wie die englischen in `messages_en.ts`. */
import { Counting } from "../text/count";
import type { HistoryMessages } from "./messages_en";

const counting = new Counting("de");

export const historyDe: HistoryMessages = {
  title: "Verlauf · Dreamcanvas",
  home: "Dreamcanvas: zur Leinwand",
  site: "Seiten",
  feed: "Feed neuer Filme (Atom)",
  feedTitle: "Feed neuer Filme",
  feedName: "Dreamcanvas: neue Filme",
  draw: "Malen",

  loading: "Hole den Verlauf…",
  empty: "Noch wurde nichts geträumt.",
  emptyHint:
    "Male etwas, und es wird geträumt. Jeder Traum bleibt erhalten, und alle zwei Stunden wird aus ihnen ein Film.",
  drawNow: "Den ersten Strich malen",
  failed: "Der Verlauf ist nicht zu erreichen.",
  failedHint: "Vielleicht startet der Server gerade neu, oder du bist offline.",
  again: "Noch einmal versuchen",

  days: "Tage",
  dayFailed: "Die Filme dieses Tages sind nicht zu bekommen.",
  dayMovie: "Der Tag in einer Minute",
  more: "Frühere Filme dieses Tages",
  movies: (count) => counting.of(count, "Film", "Filme"),
  dreams: (count) => counting.of(count, "Traum", "Träume"),
  dabs: (count) => counting.of(count, "Tupfer", "Tupfer"),
  nobody: "niemand hat gemalt",
  states: {
    RECORDING: "Wird aufgenommen",
    WAITING: "Film kommt noch",
    ENCODED: "Film",
    EXPIRED: "Nicht mehr da",
  },

  opening: "Öffne…",
  noSuch: "Diesen Moment gibt es nicht.",
  noSuchHint: "Der Link führt zu einer Zeit, von der nichts aufgezeichnet ist.",
  tooEarly: "Bis dahin war noch nichts geträumt. Das ist der erste Traum.",
  tooLate: "Das kommt erst noch. Das ist der neueste Traum.",
  gone: "Diesen Film gibt es nicht mehr.",
  goneHint: "Die ältesten Filme machen neuen Platz.",
  movieFailed: "Der Film lässt sich nicht abspielen.",
  movieFailedHint: "Die Verbindung ist abgerissen, oder dieser Browser kann kein H.264.",
  picturesFailed: "Die Träume sind nicht zu bekommen.",
  soon: "Der Film wird noch gemacht. Bis dahin siehst du die einzelnen Bilder.",
  recording:
    "Das wird noch aufgenommen. Du siehst die einzelnen Bilder; neue Träume kommen am Ende hinzu.",
  movieReady: "Der Film ist fertig.",

  moment: "Zeitpunkt",
  momentValue: (time, dream, dreams) =>
    `${time}, Traum ${counting.write(dream)} von ${counting.write(dreams)}`,
  playing: "Wiedergabe",
  play: "Abspielen",
  pause: "Anhalten",
  playTitle: "Abspielen oder anhalten (Leertaste)",
  back: "Einen Traum zurück",
  backTitle: "Einen Traum zurück (←)",
  forth: "Einen Traum weiter",
  forthTitle: "Einen Traum weiter (→)",
  speed: "Tempo",
  speedTitle: "Tempo (< und >)",
  loop: "Endlos wiederholen",
  loopTitle: "Endlos wiederholen (L)",
  share: "Link zu diesem Moment kopieren",
  copied: "Link zu diesem Moment kopiert.",
  notCopied: "Der Link zu diesem Moment steht in der Adresszeile.",
  download: "Herunterladen",
  downloadMovie: (file) => `Den Film herunterladen, ${file}`,
  length: (duration) => `${duration} min`,
  styles: "Stile",
  others: "Andere Filme",
  earlier: "Früher",
  later: "Später",

  keys: {
    title: "Tasten",
    home: "Pos1",
    end: "Ende",
    play: "abspielen, anhalten",
    dream: "ein Traum",
    second: "eine Sekunde",
    ends: "erster, letzter Traum",
    speed: "langsamer, schneller",
    loop: "endlos wiederholen",
    close: "schließen",
  },
};
