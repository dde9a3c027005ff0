/** The brush: its palette, colour and size. */

import { cssColor, element } from "../browser/dom";
import { words } from "../words/words";
import { type BrushSettings, saveBrush, sizeAt, sliderAt } from "./brush_settings";
import { PALETTES } from "./palettes";

/** The preview's box, in CSS pixels. */
const BOX = 44;

export class Toolbar {
  readonly settings: BrushSettings;
  /** The size of a canvas pixel on the screen, for the preview. */
  private scale = 1;
  private readonly sized: (adjusting: boolean) => void;
  private readonly group = element("colors", HTMLElement);
  private readonly slider = element("size", HTMLInputElement);
  private readonly custom = element("custom", HTMLInputElement);
  private readonly preview = element("preview", HTMLElement);
  private readonly menu = element("palettes", HTMLElement);
  private swatches = new Map<number, HTMLButtonElement>();

  /**
   * `sized` is called with true while the size is being adjusted, and with false when it is done.
   */
  constructor(settings: BrushSettings, sized: (adjusting: boolean) => void) {
    this.settings = settings;
    this.sized = sized;
    this.showSwatches();
    this.fillMenu();
    this.custom.addEventListener("click", () => this.choose(this.settings.custom));
    this.custom.addEventListener("input", () =>
      this.mix(Number.parseInt(this.custom.value.slice(1), 16)),
    );
    this.slider.addEventListener("input", () =>
      this.resize(sizeAt(Number(this.slider.value)), true),
    );
    this.slider.addEventListener("change", () => this.sized(false));
    this.slider.addEventListener("blur", () => this.sized(false));
    this.show();
  }

  /** Chooses the palette's colour of this number, from 0. */
  chooseNumber(index: number): void {
    const entry = PALETTES[this.settings.palette].swatches[index];
    if (entry) this.choose(entry.color);
  }

  /** Chooses a colour that need not be in the palette. */
  mix(color: number): void {
    this.settings.custom = color;
    this.choose(color);
  }

  /** Makes the brush a step larger or smaller. */
  step(direction: 1 | -1): void {
    this.resize(
      sizeAt(Math.min(100, Math.max(0, sliderAt(this.settings.size) + 5 * direction))),
      false,
    );
  }

  /**
   * Shows the palette of this number, or the next one, and returns its name. The chosen colour
   * becomes the one at the same place of that palette.
   */
  changePalette(to = this.settings.palette + 1): string {
    const before = PALETTES[this.settings.palette].swatches;
    const place = before.findIndex(({ color }) => color === this.settings.color);
    this.settings.palette = to % PALETTES.length;
    const { name, swatches } = PALETTES[this.settings.palette];
    this.showSwatches();
    this.fillMenu();
    if (place >= 0) this.choose(swatches[place].color);
    else this.choose(this.settings.color);
    return words.palettes[name];
  }

  zoomed(scale: number): void {
    this.scale = scale;
    this.showPreview();
  }

  private choose(color: number): void {
    this.settings.color = color;
    this.show();
    saveBrush(this.settings);
  }

  private resize(size: number, adjusting: boolean): void {
    this.settings.size = size;
    this.show();
    this.sized(adjusting);
    saveBrush(this.settings);
  }

  private showSwatches(): void {
    for (const swatch of this.swatches.values()) swatch.remove();
    this.swatches = new Map();
    const before = this.group.querySelector(".custom");
    for (const { name, color } of PALETTES[this.settings.palette].swatches) {
      const swatch = document.createElement("button");
      swatch.type = "button";
      swatch.className = "swatch";
      swatch.title = words.colors[name];
      swatch.setAttribute("aria-label", words.colors[name]);
      swatch.style.setProperty("--color", cssColor(color));
      swatch.addEventListener("click", () => this.choose(color));
      this.swatches.set(color, swatch);
      this.group.insertBefore(swatch, before);
    }
  }

  private fillMenu(): void {
    const items = PALETTES.map(({ name, swatches }, index) => {
      const item = document.createElement("button");
      item.type = "button";
      item.setAttribute("role", "menuitemradio");
      item.setAttribute("aria-checked", String(index === this.settings.palette));
      const colors = document.createElement("span");
      colors.className = "row";
      for (const { color } of swatches.slice(1, -1)) {
        const dot = document.createElement("i");
        dot.style.background = cssColor(color);
        colors.append(dot);
      }
      item.append(colors, words.palettes[name]);
      item.addEventListener("click", () => {
        this.changePalette(index);
        this.menu.hidePopover();
      });
      return item;
    });
    this.menu.replaceChildren(...items);
  }

  private show(): void {
    const { color, custom, size } = this.settings;
    for (const [each, swatch] of this.swatches)
      swatch.setAttribute("aria-pressed", String(each === color));
    const label = this.custom.parentElement;
    if (label) {
      label.style.setProperty("--color", cssColor(custom));
      label.dataset.chosen = String(!this.swatches.has(color));
    }
    this.custom.value = cssColor(custom);
    this.slider.value = String(sliderAt(size));
    this.slider.setAttribute("aria-valuetext", words.draw.sizeValue(size));
    this.showPreview();
  }

  /** Shows a dab as large as on the screen, as far as there is room, and as soft as a stroke. */
  private showPreview(): void {
    const { color, size } = this.settings;
    const diameter = `${Math.max(2, Math.min(BOX * 1.6, size * this.scale))}px`;
    const css = cssColor(color);
    const { style } = this.preview;
    style.width = style.height = diameter;
    style.background = `radial-gradient(closest-side, ${css} 45%, ${css}00 100%)`;
    // On white, white would not be seen.
    this.preview.parentElement?.style.setProperty(
      "background",
      isPale(color) ? "#3a3b42" : "#f7f6f3",
    );
  }
}

function isPale(color: number): boolean {
  const [r, g, b] = [color >> 16, (color >> 8) & 255, color & 255];
  return 0.3 * r + 0.59 * g + 0.11 * b > 225;
}
