/** What stands beside the picture: which movie it is, its styles, its files. */
import { element } from "../browser/dom";
import { styleWords } from "../words/site";
import { type Clock, dayParts, dreamsAndDabs, durationWords, sizeWords } from "./formats";
import { WORDS } from "./messages";
import { formatMoment } from "./moments";
import type { Reel } from "./reel";
import { styleSwatch } from "./style_swatch";
import { hues } from "./timeline";

export class Panel {
  private readonly title = element("title", HTMLElement);
  private readonly date = element("date", HTMLElement);
  private readonly facts = element("facts", HTMLElement);
  private readonly note = element("note", HTMLElement);
  private readonly styles = element("styles", HTMLElement);
  private readonly downloads = element("downloads", HTMLElement);
  private readonly download = element("download", HTMLAnchorElement);
  private readonly earlier = element("earlier", HTMLAnchorElement);
  private readonly later = element("later", HTMLAnchorElement);
  private readonly seek: (index: number) => void;
  private buttons: HTMLButtonElement[] = [];
  private current = -1;

  constructor(seek: (index: number) => void) {
    this.seek = seek;
    for (const each of [this.earlier, this.later])
      each.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        // The link replaces this movie in the browser's history: going back leads out of the
        // player.
        event.preventDefault();
        location.replace(each.href);
      });
  }

  open(reel: Reel, clock: Clock, remark: string): void {
    const { recording, kind, name } = reel;
    this.title.textContent =
      kind === "day" ? WORDS.dayMovie : clock.span(recording.start, recording.end);
    this.date.textContent = kind === "day" ? dayParts(name).label : clock.day(recording.start);
    const length =
      recording.renditions.length > 0 ? ` · ${WORDS.length(durationWords(recording.seconds))}` : "";
    this.facts.textContent = dreamsAndDabs(recording) + length;
    const state = { RECORDING: WORDS.recording, WAITING: WORDS.soon, ENCODED: "", EXPIRED: "" }[
      recording.state
    ];
    this.note.textContent = remark || (kind === "window" ? state : "");
    this.listStyles(reel, clock);
    this.listFiles(reel);
  }

  /** Shows a sentence only: nothing is known of a movie yet. */
  clear(words: string): void {
    this.title.textContent = words;
    for (const each of [this.date, this.facts, this.note]) each.textContent = "";
    this.styles.replaceChildren();
    this.downloads.replaceChildren();
    this.download.hidden = true;
    this.buttons = [];
    this.current = -1;
    this.setNeighbours(undefined, undefined);
  }

  /** Marks the style of a frame in the list. */
  place(reel: Reel, index: number): void {
    const at = reel.styles.findIndex(({ from, to }) => index >= from && index < to);
    if (at === this.current) return;
    this.buttons[this.current]?.removeAttribute("aria-current");
    this.current = at;
    const button = this.buttons[at];
    if (!button) return;
    button.setAttribute("aria-current", "true");
    const { styles } = this;
    const item = button.parentElement ?? button;
    // Not scrollIntoView, which would scroll the page, too.
    if (item.offsetTop < styles.scrollTop) styles.scrollTop = item.offsetTop;
    const below = item.offsetTop + item.offsetHeight - styles.clientHeight;
    if (below > styles.scrollTop) styles.scrollTop = below;
  }

  setNeighbours(earlier: number | undefined, later: number | undefined): void {
    link(this.earlier, earlier);
    link(this.later, later);
  }

  private listStyles(reel: Reel, clock: Clock): void {
    this.current = -1;
    this.buttons = [];
    const hue = hues(reel.styles.map(({ style }) => style));
    const items = reel.styles.map(({ from, style }) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      const time = document.createElement("span");
      time.textContent = clock.toMinute(reel.times[from]);
      button.append(styleSwatch(hue.get(style)), time, styleWords(style));
      button.addEventListener("click", () => this.seek(from));
      this.buttons.push(button);
      item.append(button);
      return item;
    });
    this.styles.replaceChildren(...items);
  }

  private listFiles({ recording, name }: Reel): void {
    const links = recording.renditions.map(({ width, url, bytes }) => {
      const file = document.createElement("a");
      file.href = url;
      file.download = `dreamcanvas-${name}-${width}.mp4`;
      file.textContent = `${width} × ${width}`;
      const size = document.createElement("span");
      size.textContent = ` ${sizeWords(bytes)}`;
      file.append(size);
      return file;
    });
    this.downloads.replaceChildren(...links);
    this.download.hidden = links.length === 0;
    if (links[0]) {
      this.download.href = links[0].href;
      this.download.download = links[0].download;
      const label = WORDS.downloadMovie(links[0].textContent);
      this.download.title = label;
      this.download.setAttribute("aria-label", label);
    }
  }
}

function link(target: HTMLAnchorElement, start: number | undefined): void {
  target.hidden = start === undefined;
  if (start !== undefined) target.href = `#${formatMoment(start)}`;
}
