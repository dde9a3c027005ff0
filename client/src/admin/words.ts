/** The messages of the operator's page, English and German. A missing one does not compile. */
import { Counting } from "../text/count";
import { type Language, language, locale } from "../words/language";

const counting = new Counting(language);

const en = {
  title: "The host’s hand · Dreamcanvas",
  home: "Dreamcanvas: to the canvas",
  heading: "The host’s hand",
  token: "The host’s token",
  tokenHint: "It is in the data directory, in the file admin-token.",
  signIn: "Sign in",
  signOut: "Sign out",
  canvas: "The canvas",
  canvasNow: "The canvas as it is now",
  canvasHint: "Click a place, or drag over a region, to see who painted there.",
  left: "Left",
  top: "Top",
  width: "Width",
  height: "Height",
  look: "Who painted here?",
  whole: "The whole canvas",
  who: "Who painted here",
  choosePlace: "Choose a place on the canvas.",
  nobody: "Nobody has painted here in the last day.",
  reason: "Reason, which they are told",
  span: "For",
  hour: "an hour",
  day: "a day",
  week: "a week",
  year: "a year",
  addresses: "their addresses, too: else they come back as somebody new",
  ban: "Ban",
  takeBack: "Take back what they drew",
  bans: "Bans",
  noBans: "Nobody is banned.",
  end: "End",
  back: "Back to how it was",
  time: "At this time, in the region that is chosen",
  restore: "Put it back",
  state: "The canvas and its dreams",
  readOnly: "Nobody may draw",
  rest: "Dream no more",
  nextStyle: "Dream of something else",
  line: "A line for everyone",
  show: "Show it",
  log: "What was done here",
  noLog: "Nothing so far.",
  working: "One moment …",
  unreached: "The server can’t be reached. Try again.",
  needsReason: "Say why: they are told.",
  needsLine: "Nothing of this line can be seen. Leave it empty to take the line away.",
  choose: "Choose somebody in the list first.",
  banned: "banned",
  bannedNow: (people: number) =>
    counting.form(people, {
      one: "One is banned.",
      other: `${counting.write(people)} are banned.`,
    }),
  ended: "The ban has ended.",
  restored: (dabs: number) =>
    dabs ? `${counting.of(dabs, "dab was", "dabs were")} taken back.` : "It is as it was.",
  author: (number: number) => `No. ${number}`,
  dabs: (count: number) => counting.of(count, "dab", "dabs"),
  until: (time: string) => `until ${time}`,
  stands: (users: number, style: string) =>
    `${counting.write(users)} here${style ? ` · dreams of ${style}` : ""}`,
};

type Words = {
  readonly [K in keyof typeof en]: (typeof en)[K] extends string ? string : (typeof en)[K];
};

const de: Words = {
  title: "Die Hand des Gastgebers · Dreamcanvas",
  home: "Dreamcanvas: zur Leinwand",
  heading: "Die Hand des Gastgebers",
  token: "Das Token des Gastgebers",
  tokenHint: "Es steht im Datenverzeichnis, in der Datei admin-token.",
  signIn: "Anmelden",
  signOut: "Abmelden",
  canvas: "Die Leinwand",
  canvasNow: "Die Leinwand, wie sie jetzt ist",
  canvasHint:
    "Klick auf eine Stelle oder zieh über einen Bereich, um zu sehen, wer dort gemalt hat.",
  left: "Links",
  top: "Oben",
  width: "Breite",
  height: "Höhe",
  look: "Wer hat hier gemalt?",
  whole: "Die ganze Leinwand",
  who: "Wer hier gemalt hat",
  choosePlace: "Wähle eine Stelle auf der Leinwand.",
  nobody: "Hier hat am letzten Tag niemand gemalt.",
  reason: "Grund, der ihnen gesagt wird",
  span: "Für",
  hour: "eine Stunde",
  day: "einen Tag",
  week: "eine Woche",
  year: "ein Jahr",
  addresses: "auch ihre Adressen: sonst kommen sie als jemand anders wieder",
  ban: "Sperren",
  takeBack: "Zurücknehmen, was sie gemalt haben",
  bans: "Sperren",
  noBans: "Niemand ist gesperrt.",
  end: "Beenden",
  back: "Zurück zu früher",
  time: "Zu dieser Zeit, im gewählten Bereich",
  restore: "Wiederherstellen",
  state: "Die Leinwand und ihre Träume",
  readOnly: "Niemand darf malen",
  rest: "Nicht mehr träumen",
  nextStyle: "Von etwas anderem träumen",
  line: "Eine Zeile für alle",
  show: "Zeigen",
  log: "Was hier getan wurde",
  noLog: "Bisher nichts.",
  working: "Einen Moment …",
  unreached: "Der Server ist nicht zu erreichen. Versuch es noch einmal.",
  needsReason: "Sag, warum: Es wird ihnen gesagt.",
  needsLine: "Von dieser Zeile ist nichts zu sehen. Lass das Feld leer, um die Zeile wegzunehmen.",
  choose: "Wähle zuerst jemanden in der Liste.",
  banned: "gesperrt",
  bannedNow: (people) =>
    counting.form(people, {
      one: "Einer ist gesperrt.",
      other: `${counting.write(people)} sind gesperrt.`,
    }),
  ended: "Die Sperre ist beendet.",
  restored: (dabs) =>
    dabs
      ? `${counting.of(dabs, "Tupfer wurde", "Tupfer wurden")} zurückgenommen.`
      : "Es ist wie damals.",
  author: (number) => `Nr. ${number}`,
  dabs: (count) => counting.of(count, "Tupfer", "Tupfer"),
  until: (time) => `bis ${time}`,
  stands: (users, style) => `${counting.write(users)} hier${style ? ` · träumt von ${style}` : ""}`,
};

const ALL: Record<Language, Words> = { en, de };

export const words: Words = ALL[language];

const moment = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "medium" });

/** Writes a time, ms since 1970, as people read it. */
export function shown(time: number): string {
  return moment.format(time);
}
