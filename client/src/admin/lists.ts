/** The lists of the operator's page: who painted, who is banned, what was done. */
import { cssColor } from "../browser/dom";
import type { Act, Ban, Painted } from "./api";
import { shown, words } from "./words";

/** Lists who painted. Ticks stay: an operator bans first and then takes back what was drawn. */
export function showPainters(list: HTMLElement, painted: readonly Painted[]): void {
  const before = new Set(ticked(list).map(({ author }) => author));
  list.replaceChildren(
    ...painted.map((each) => {
      const item = document.createElement("li");
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = String(each.author);
      box.checked = before.has(each.author);
      box.dataset.address = each.address;
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = cssColor(each.color);
      label.append(box, swatch, text("b", each.token || words.author(each.author)));
      label.append(text("span", each.address, "address"));
      label.append(text("span", `${words.dabs(each.dabs)} · ${shown(each.lastTime)}`, "dim"));
      if (each.banned) label.append(text("span", words.banned, "flag"));
      item.append(label);
      return item;
    }),
  );
}

/** Returns the authors that are ticked, with their addresses. */
export function ticked(list: HTMLElement): { author: number; address: string }[] {
  return [...list.querySelectorAll<HTMLInputElement>("input:checked")].map((box) => ({
    author: Number(box.value),
    address: box.dataset.address ?? "",
  }));
}

export function showBans(
  list: HTMLElement,
  bans: readonly Ban[],
  end: (ban: number) => void,
): void {
  list.replaceChildren(
    ...bans.map((each) => {
      const item = document.createElement("li");
      const whom = [each.author ? words.author(each.author) : "", each.address]
        .filter(Boolean)
        .join(" · ");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words.end;
      button.setAttribute("aria-label", `${words.end}: ${whom}`);
      button.addEventListener("click", () => end(each.ban));
      item.append(
        text("b", whom),
        text("span", each.reason),
        text("span", words.until(shown(each.until)), "dim"),
        button,
      );
      return item;
    }),
  );
}

export function showLog(list: HTMLElement, acts: readonly Act[]): void {
  list.replaceChildren(
    ...acts.map((each) => {
      const item = document.createElement("li");
      item.append(
        text("time", shown(each.time), "dim"),
        text("b", each.what),
        text("code", each.details),
      );
      return item;
    }),
  );
}

function text(tag: string, content: string, kind = ""): HTMLElement {
  const found = document.createElement(tag);
  found.textContent = content;
  if (kind) found.className = kind;
  return found;
}
