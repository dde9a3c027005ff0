/** The tools in hand: colour and size, kept across visits. */
import { MAX_SIZE } from "../replica/brush";
import { keep, recall } from "../storage/keep";
import type { Messages } from "../words/language";

interface Swatch {
  /** The name's key among the messages. */
  readonly name: keyof Messages["colors"];
  readonly color: number;
}

export interface Palette {
  readonly name: keyof Messages["palettes"];
  /** Black, five colours that go together, white. */
  readonly swatches: readonly Swatch[];
}

type Five = readonly [Swatch, Swatch, Swatch, Swatch, Swatch];

function palette(name: Palette["name"], five: Five): Palette {
  const [black, white] = [
    { name: "black", color: 0x000000 },
    { name: "white", color: 0xffffff },
  ] as const;
  return { name, swatches: [black, ...five, white] };
}

export const PALETTES: readonly Palette[] = [
  palette("reef", [
    { name: "coral", color: 0xf2545b },
    { name: "amber", color: 0xf7b32b },
    { name: "sea", color: 0x17a689 },
    { name: "blue", color: 0x3a6ee8 },
    { name: "violet", color: 0x8f4fd1 },
  ]),
  palette("sherbet", [
    { name: "rose", color: 0xf78fb3 },
    { name: "peach", color: 0xfbb88a },
    { name: "sand", color: 0xf6e27f },
    { name: "mint", color: 0x8edcb4 },
    { name: "sky", color: 0x84c5f4 },
  ]),
  palette("forest", [
    { name: "rust", color: 0xb5492c },
    { name: "ochre", color: 0xd9a441 },
    { name: "moss", color: 0x7f9b3a },
    { name: "pine", color: 0x1f5b45 },
    { name: "umber", color: 0x6b4a33 },
  ]),
  palette("carnival", [
    { name: "magenta", color: 0xe6007e },
    { name: "tangerine", color: 0xff6b1a },
    { name: "lemon", color: 0xffdf2b },
    { name: "turquoise", color: 0x00b5c8 },
    { name: "indigo", color: 0x4b2ad6 },
  ]),
  palette("dusk", [
    { name: "midnight", color: 0x1d2350 },
    { name: "plum", color: 0x6d2f72 },
    { name: "ember", color: 0xd3543f },
    { name: "gold", color: 0xeeb35c },
    { name: "mist", color: 0xb9c6d8 },
  ]),
];

export interface Settings {
  /** 0xRRGGBB. */
  color: number;
  /** The colour of one's own choice. */
  custom: number;
  /** The brush's diameter in canvas pixels. */
  size: number;
  /** Which of the palettes, from 0. */
  palette: number;
}

const KEY = "dreamcanvas.tools";
const DEFAULT: Settings = { color: 0xf2545b, custom: 0x5ec8f0, size: 48, palette: 0 };

/** What was saved, as far as it is sound. */
export function parseSettings(text: string | null): Settings {
  const settings = { ...DEFAULT };
  try {
    const saved: unknown = JSON.parse(text ?? "{}");
    if (typeof saved !== "object" || saved === null) return settings;
    const { color, custom, size, palette } = saved as Record<string, unknown>;
    if (isWhole(color, 0, 0xffffff)) settings.color = color;
    if (isWhole(custom, 0, 0xffffff)) settings.custom = custom;
    if (isWhole(size, 1, MAX_SIZE)) settings.size = size;
    if (isWhole(palette, 0, PALETTES.length - 1)) settings.palette = palette;
  } catch {
    // Not JSON: as if nothing had been saved.
  }
  return settings;
}

export function loadSettings(): Settings {
  return parseSettings(recall("localStorage", KEY));
}

export function saveSettings(settings: Settings): void {
  keep("localStorage", KEY, JSON.stringify(settings));
}

export function cssColor(color: number): string {
  return `#${color.toString(16).padStart(6, "0")}`;
}

/** Small sizes get more of the slider than large ones. `at` is 0 to 100. */
export function sizeAt(at: number): number {
  return Math.round(1 + (MAX_SIZE - 1) * (at / 100) ** 2);
}

export function sliderOf(size: number): number {
  return Math.round(Math.sqrt((size - 1) / (MAX_SIZE - 1)) * 100);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}
