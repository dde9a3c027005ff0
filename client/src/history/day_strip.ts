/** The strip of days, oldest first, by months. */
import { element } from "../browser/dom";
import type { Day } from "./api";
import { dayLabel, dayParts } from "./formats";

export class DayStrip {
  private readonly root = element("days", HTMLElement);
  private readonly chosen: (day: Day) => void;
  private readonly buttons = new Map<string, HTMLButtonElement>();

  constructor(chosen: (day: Day) => void) {
    this.chosen = chosen;
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  /** `days` are newest first. */
  show(days: readonly Day[], current: string): void {
    const focused = document.activeElement;
    const before = [...this.buttons].find(([, button]) => button === focused)?.[0];
    this.buttons.clear();
    const most = Math.max(1, ...days.map(({ dabs }) => dabs));
    const months: HTMLElement[] = [];
    let month = "";
    let list: HTMLElement | undefined;
    for (const day of [...days].reverse()) {
      const parts = dayParts(day.day);
      if (parts.month !== month || !list) {
        month = parts.month;
        const section = document.createElement("section");
        const heading = document.createElement("h2");
        heading.textContent = month;
        list = document.createElement("div");
        section.append(heading, list);
        months.push(section);
      }
      list.append(this.button(day, Math.sqrt(day.dabs / most), parts));
    }
    this.root.replaceChildren(...months);
    this.root.hidden = days.length === 0;
    this.choose(current);
    this.reveal(current);
    if (before) this.buttons.get(before)?.focus({ preventScroll: true });
  }

  choose(current: string): void {
    for (const [day, button] of this.buttons) {
      if (day === current) button.setAttribute("aria-current", "date");
      else button.removeAttribute("aria-current");
      // The tab key reaches one button only; arrow keys go to the others.
      button.tabIndex = day === current ? 0 : -1;
    }
  }

  private reveal(current: string): void {
    const button = this.buttons.get(current);
    if (button)
      this.root.scrollLeft = button.offsetLeft - (this.root.clientWidth - button.offsetWidth) / 2;
  }

  private button(day: Day, level: number, parts: ReturnType<typeof dayParts>): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", dayLabel(day, "short"));
    button.title = dayLabel(day, "long");
    const [weekday, date] = [document.createElement("span"), document.createElement("b")];
    weekday.textContent = parts.weekday;
    date.textContent = parts.date;
    const activity = document.createElement("i");
    activity.style.setProperty("--level", String(level));
    button.append(weekday, " ", date, activity);
    button.addEventListener("click", () => this.chosen(day));
    this.buttons.set(day.day, button);
    return button;
  }

  private key(event: KeyboardEvent): void {
    const all: (Element | null)[] = [...this.buttons.values()];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    [...this.buttons.values()][to]?.focus();
  }
}
