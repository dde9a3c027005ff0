/** The tools in hand: colour and size, kept across visits. */
import { MAX_SIZE } from "../replica/brush";

/** Five colours that go together, between black and white. */
export const PALETTE = [
  { name: "Black", color: 0x000000 },
  { name: "Coral", color: 0xf2545b },
  { name: "Amber", color: 0xf7b32b },
  { name: "Sea green", color: 0x17a689 },
  { name: "Blue", color: 0x3a6ee8 },
  { name: "Violet", color: 0x8f4fd1 },
  { name: "White", color: 0xffffff },
] as const;

export interface Settings {
  /** 0xRRGGBB. */
  color: number;
  /** The colour of one's own choice. */
  custom: number;
  /** The brush's diameter in canvas pixels. */
  size: number;
}

const KEY = "dreamcanvas.tools";
const DEFAULT: Settings = { color: 0xf2545b, custom: 0x5ec8f0, size: 48 };

/** What was saved, as far as it is sound. */
export function parseSettings(text: string | null): Settings {
  const settings = { ...DEFAULT };
  try {
    const saved: unknown = JSON.parse(text ?? "{}");
    if (typeof saved !== "object" || saved === null) return settings;
    const { color, custom, size } = saved as Record<string, unknown>;
    if (isWhole(color, 0, 0xffffff)) settings.color = color;
    if (isWhole(custom, 0, 0xffffff)) settings.custom = custom;
    if (isWhole(size, 1, MAX_SIZE)) settings.size = size;
  } catch {
    // Not JSON: as if nothing had been saved.
  }
  return settings;
}

export function loadSettings(): Settings {
  try {
    return parseSettings(localStorage.getItem(KEY));
  } catch {
    return { ...DEFAULT }; // storage is forbidden
  }
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Storage is full or forbidden: the tools are forgotten with the page.
  }
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
