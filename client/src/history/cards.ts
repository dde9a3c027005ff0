/**
 * A movie as a card: its poster, over which the pointer runs through the thumbnails of the movie.
 */
import { dreamPath, halfPath } from "../browser/server";
import { styleWords } from "../words/site";
import type { Day, MovieWindow, Recording } from "./api";
import { type Clock, dreamsAndDabs, durationWords } from "./formats";
import { WORDS } from "./messages";
import { clamp, formatMoment, SPRITE_COLUMNS } from "./moments";
import { styleSwatch } from "./style_swatch";
import { hues } from "./timeline";

const STYLES = 3;

export interface CardCommands {
  /** Somebody opens it, to be played. */
  opened(): void;
  /** The number of the newest dream of a window, for its picture. */
  newest(window: MovieWindow): Promise<number | undefined>;
}

export function windowCard(
  window: MovieWindow,
  clock: Clock,
  rows: number,
  commands: CardCommands,
): HTMLLIElement {
  const card = new Card(
    `#${formatMoment(window.start)}`,
    clock.span(window.start, window.end),
    window,
    rows,
    commands,
  );
  card.list([...new Set(window.styles.map(({ style }) => style))]);
  if (window.state === "RECORDING" || window.state === "WAITING")
    commands.newest(window).then(
      (dream) => dream !== undefined && card.picture(halfPath(dreamPath(dream))),
      () => {}, // without a picture, then
    );
  return card.item;
}

export function dayCard(day: Day, rows: number, commands: CardCommands): HTMLLIElement {
  const card = new Card(`#${day.day}`, WORDS.dayMovie, day, rows, commands);
  card.item.classList.add("day");
  return card.item;
}

class Card {
  readonly item = document.createElement("li");
  private readonly frame = document.createElement("span");
  private readonly words = document.createElement("span");
  private readonly rows: number;
  private readonly image = document.createElement("img");

  constructor(
    href: string,
    title: string,
    recording: Recording,
    rows: number,
    commands: CardCommands,
  ) {
    const { state, poster, sprite, renditions, seconds } = recording;
    this.rows = rows;
    const link = document.createElement("a");
    link.href = href;
    link.className = "card";
    link.dataset.state = state;
    link.addEventListener("click", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) commands.opened();
    });
    this.frame.className = "frame";
    this.image.alt = "";
    this.image.loading = "lazy";
    this.image.decoding = "async";
    this.image.addEventListener("error", () => this.image.remove());
    if (poster) this.picture(poster);
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.textContent = renditions.length > 0 ? durationWords(seconds) : WORDS.states[state];
    this.frame.append(badge);
    this.words.className = "words";
    const name = document.createElement("b");
    name.textContent = title;
    const facts = document.createElement("span");
    facts.textContent = dreamsAndDabs(recording);
    this.words.append(name, facts);
    link.append(this.frame, this.words);
    this.item.append(link);
    if (sprite) this.scrubs(sprite);
  }

  picture(url: string): void {
    this.image.src = url;
    this.frame.prepend(this.image);
  }

  list(styles: readonly string[]): void {
    const line = document.createElement("span");
    line.className = "styles";
    const hue = hues(styles);
    for (const style of styles.slice(0, STYLES)) {
      const part = document.createElement("span");
      part.append(styleSwatch(hue.get(style)), styleWords(style));
      line.append(part);
    }
    if (styles.length > STYLES) line.append(`+${styles.length - STYLES}`);
    this.words.append(line);
  }

  /** The sprite is fetched when the pointer first comes. */
  private scrubs(sprite: string): void {
    const strip = document.createElement("i");
    strip.className = "scrub";
    const place = document.createElement("i");
    place.className = "place";
    let ready = false;
    this.frame.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "mouse" || strip.isConnected) return;
      const image = new Image();
      image.src = sprite;
      image.decode().then(
        () => {
          strip.style.backgroundImage = `url("${sprite}")`;
          ready = true;
        },
        () => {}, // the poster stays
      );
      this.frame.append(strip, place);
    });
    this.frame.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse" || !ready) return;
      const box = this.frame.getBoundingClientRect();
      const share = clamp((event.clientX - box.left) / box.width, 0, 1);
      const total = SPRITE_COLUMNS * this.rows;
      const k = clamp(Math.floor(share * total), 0, total - 1);
      const percent = (at: number, of: number) => (of > 1 ? (at / (of - 1)) * 100 : 0);
      const across = percent(k % SPRITE_COLUMNS, SPRITE_COLUMNS);
      const down = percent(Math.floor(k / SPRITE_COLUMNS), this.rows);
      strip.style.backgroundPosition = `${across}% ${down}%`;
      place.style.transform = `scaleX(${share})`;
      this.frame.dataset.scrub = String(k);
    });
    this.frame.addEventListener("pointerleave", () => delete this.frame.dataset.scrub);
  }
}
