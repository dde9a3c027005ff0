import { describe, expect, it } from "vitest";
import {
  formatMoment,
  frameAt,
  frameOf,
  linkTo,
  parseLink,
  positionOf,
  thumbnailOf,
  windowName,
  windowStart,
} from "../../src/history/moments";

const TIME = Date.UTC(2026, 10, 22, 14, 3, 20);

describe("a link", () => {
  it("leads to a moment", () => {
    expect(parseLink("#2026-11-22T14:03:20Z")).toEqual({ time: TIME });
    expect(parseLink("#2026-11-22T14:03:20.250Z")).toEqual({ time: TIME + 250 });
    expect(parseLink("#2026-11-22T14:03Z")).toEqual({ time: TIME - 20_000 });
    expect(parseLink("#2026-11-22T14%3A03%3A20Z")).toEqual({ time: TIME });
  });

  it("or to a day", () => {
    expect(parseLink("#2026-11-22")).toEqual({ day: "2026-11-22" });
  });

  it.each([
    "",
    "#",
    "#help",
    "#2026-13-40",
    "#2026-11-22T25:00:00Z",
    "#2026-11-22T14:03:20",
    "#%E0%A4%A",
    "#12",
  ])("%s leads nowhere", (hash) => expect(parseLink(hash)).toBeUndefined());

  it("to a frame opens at that frame", () => {
    const times = [100, 1100, 1150, 1900, 2000, 2001, 9000, 9001];
    for (let i = 0; i < times.length; i++) {
      const link = parseLink(linkTo(times, i));
      expect(link && "time" in link && frameAt(times, link.time)).toBe(i);
    }
  });

  it("is to the second where that is enough", () => {
    expect(linkTo([TIME - 700, TIME + 1300], 0)).toBe("#2026-11-22T14:03:20Z");
    expect(linkTo([TIME - 700, TIME - 300], 0)).toBe("#2026-11-22T14:03:19.300Z");
  });

  it("to the last frame does not lead into the next window", () => {
    const end = windowStart(TIME, 7200) + 7_200_000;
    const link = parseLink(linkTo([end - 400], 0));
    expect(link).toEqual({ time: end - 400 });
  });
});

describe("a window", () => {
  it("is counted from 1970 in UTC and called after its start", () => {
    const start = Date.UTC(2026, 10, 22, 14);
    expect([windowStart(start, 7200), windowStart(TIME, 7200)]).toEqual([start, start]);
    expect(windowStart(start - 1, 7200)).toBe(start - 7_200_000);
    expect(windowName(start)).toBe("20261122T140000Z");
    expect(formatMoment(start)).toBe("2026-11-22T14:00:00Z");
  });
});

describe("a frame", () => {
  it("is the newest at a time", () => {
    const times = [10, 20, 20, 35];
    expect([9, 10, 19, 20, 34, 35, 99].map((time) => frameAt(times, time))).toEqual([
      -1, 0, 0, 2, 2, 3, 3,
    ]);
    expect(frameAt([], 5)).toBe(-1);
  });

  it("is sought in its middle, and found again", () => {
    for (let i = 0; i < 3600; i++) expect(frameOf(positionOf(i, 30), 30, 3600)).toBe(i);
    expect(positionOf(0, 30)).toBeCloseTo(1 / 60);
  });

  it("begins at its time, however that is rounded, and the last one lasts", () => {
    for (let i = 0; i < 3600; i++) expect(frameOf(i / 30, 30, 3600)).toBe(i);
    expect(frameOf(500, 30, 3600)).toBe(3599);
  });

  it("has the nearest thumbnail", () => {
    for (const count of [1, 7, 100, 3600])
      for (let k = 0; k < 100; k++) {
        const index = Math.floor(((2 * k + 1) * count) / 200);
        const shown = thumbnailOf(index, count, 100);
        // Short movies have some frames on several thumbnails.
        expect(Math.floor(((2 * shown + 1) * count) / 200)).toBe(index);
      }
  });
});
