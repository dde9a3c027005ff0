/** The brush as it is set: its colour, size and palette, kept across visits. */
import { MAX_SIZE } from "../replica/brush";
import { keep, recall } from "../storage/keep";
import { parseRecord } from "../storage/records";
import { PALETTES } from "./palettes";

export interface BrushSettings {
  /** 0xRRGGBB. */
  color: number;
  /** The colour that the visitor mixed, or took from the canvas. */
  custom: number;
  /** The brush's diameter in canvas pixels. */
  size: number;
  /** Which of the palettes, from 0. */
  palette: number;
}

const KEY = "dreamcanvas.tools";
const DEFAULT: BrushSettings = { color: 0xf2545b, custom: 0x5ec8f0, size: 48, palette: 0 };

/** Reads what was saved; what of it is missing or wrong has its default. */
export function parseBrush(text: string | null): BrushSettings {
  const settings = { ...DEFAULT };
  const { color, custom, size, palette } = parseRecord(text);
  if (isWhole(color, 0, 0xffffff)) settings.color = color;
  if (isWhole(custom, 0, 0xffffff)) settings.custom = custom;
  if (isWhole(size, 1, MAX_SIZE)) settings.size = size;
  if (isWhole(palette, 0, PALETTES.length - 1)) settings.palette = palette;
  return settings;
}

export function loadBrush(): BrushSettings {
  return parseBrush(recall("localStorage", KEY));
}

export function saveBrush(settings: BrushSettings): void {
  keep("localStorage", KEY, JSON.stringify(settings));
}

/**
 * Returns the brush's size at a place of the slider, 0 to 100. Small sizes get more of the slider
 * than large ones.
 */
export function sizeAt(at: number): number {
  return Math.round(1 + (MAX_SIZE - 1) * (at / 100) ** 2);
}

/** Returns the slider's place, 0 to 100, for a brush's size. */
export function sliderAt(size: number): number {
  return Math.round(Math.sqrt((size - 1) / (MAX_SIZE - 1)) * 100);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}
