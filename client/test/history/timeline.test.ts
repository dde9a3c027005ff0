import { describe, expect, it } from "vitest";
import { bars, gaps, hues, minutes, stretches, styleAt, ticks } from "../../src/history/timeline";

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 22, 14);
const at = (...seconds: number[]) => seconds.map((second) => START + second * 1000);

describe("bars", () => {
  it("are as wide as the dreams of their minute", () => {
    const times = at(5, 30, 59, 61, 179);
    const found = bars(times, minutes(START, [4, 1, 0]));
    expect(found.map(({ from, to, dabs }) => [from, to, dabs])).toEqual([
      [0, 3, 4],
      [3, 4, 1],
      [4, 5, 0],
    ]);
    expect(found.map(({ level }) => level)).toEqual([1, 0.5, 0]);
  });

  it("lose no dab of minutes without dreams", () => {
    const found = bars(at(150), minutes(START, [3, 4, 5, 6]));
    expect(found).toEqual([{ from: 0, to: 1, dabs: 18, level: 1 }]);
  });

  it("cover all frames where nobody drew", () => {
    expect(bars(at(1, 2), minutes(START, [0]))).toEqual([{ from: 0, to: 2, dabs: 0, level: 0 }]);
    expect(bars([], minutes(START, [7]))).toEqual([]);
  });
});

describe("styles", () => {
  const times = at(0, 10, 20, 30, 40);

  it("cover the frames one after the other", () => {
    const spans = [
      { start: START, style: "Eyes" },
      { start: START + 20_000, style: "Fur" },
    ];
    const found = stretches(times, spans);
    expect(found).toEqual([
      { from: 0, to: 2, style: "Eyes" },
      { from: 2, to: 5, style: "Fur" },
    ]);
    expect([0, 1, 2, 4].map((index) => styleAt(found, index))).toEqual([
      "Eyes",
      "Eyes",
      "Fur",
      "Fur",
    ]);
  });

  it("that came again at once are one, those without a frame are none", () => {
    const spans = [
      { start: START, style: "Eyes" },
      { start: START + 11_000, style: "Eyes" },
      { start: START + 21_000, style: "Fur" },
      { start: START + 22_000, style: "Birds" },
    ];
    expect(stretches(times, spans)).toEqual([
      { from: 0, to: 3, style: "Eyes" },
      { from: 3, to: 5, style: "Birds" },
    ]);
    expect(styleAt([], 0)).toBe("");
  });

  it("have colours that can be told apart, the same each time", () => {
    const names = ["Fur", "Watching eyes", "Little windows", "Raindrops", "Seashells"];
    const found = hues(names);
    expect(hues(names)).toEqual(found);
    const all = [...found.values()];
    for (const a of all)
      for (const b of all)
        expect(a === b || Math.abs(((a - b + 540) % 360) - 180) >= 35).toBe(true);
    expect(new Set(all).size).toBe(5);
  });
});

describe("gaps", () => {
  it("are where nothing was dreamt for a while", () => {
    expect(gaps(at(0, 10, 400, 410, 1010), 300_000)).toEqual([2, 4]);
  });
});

describe("ticks", () => {
  it("are round times, no nearer than there is room", () => {
    const times = Array.from({ length: 3600 }, (_, i) => START + 1000 + i * 2000);
    const found = ticks(times, 12);
    expect(found.length).toBeLessThanOrEqual(12);
    expect(found.length).toBeGreaterThan(5);
    for (const { at: index, time } of found) {
      expect(time % (10 * MINUTE)).toBe(0);
      expect(times[index]).toBeGreaterThanOrEqual(time);
      expect(times[index - 1]).toBeLessThan(time);
    }
  });

  it("do not crowd at a gap", () => {
    const times = [...at(0, 60, 120), ...at(7000, 7060, 7120)];
    const found = ticks(times, 3);
    for (let i = 1; i < found.length; i++)
      expect(found[i].at - found[i - 1].at).toBeGreaterThanOrEqual(2);
  });

  it("are none where there is no time", () => {
    expect(ticks(at(1), 5)).toEqual([]);
    expect(ticks(at(1, 2), 0)).toEqual([]);
  });
});
