import { describe, expect, it } from "vitest";
import { Clock, dayParts, durationWords, sizeWords, speedWords } from "../../src/history/formats";
import { renditionFor } from "../../src/history/playback";

describe("words", () => {
  it("tell lengths, sizes and speeds", () => {
    expect([0, 59.6, 120, 125.4].map(durationWords)).toEqual(["0:00", "1:00", "2:00", "2:05"]);
    expect([1.6e6, 130e6, 2.5e9].map((bytes) => sizeWords(bytes))).toEqual([
      "1.6 MB",
      "130 MB",
      "2.5 GB",
    ]);
    expect([1.6e6, 130e6, 2.5e9].map((bytes) => sizeWords(bytes, "de").replace(/\s/, " "))).toEqual(
      ["1,6 MB", "130 MB", "2,5 GB"],
    );
    expect([0.25, 0.5, 1, 4].map(speedWords)).toEqual(["¼×", "½×", "1×", "4×"]);
  });

  it("tell the time where the server is, through a change of clocks", () => {
    const clock = new Clock("Europe/Berlin");
    const before = Date.UTC(2026, 9, 25, 0);
    expect(clock.span(before, before + 7_200_000)).toBe("02:00 – 03:00");
    expect(clock.span(before, before + 2000)).toBe("02:00:00 – 02:00:02");
    expect(clock.day(Date.UTC(2026, 10, 22, 23, 30))).toBe("Monday 23 November 2026");
    const german = new Clock("Europe/Berlin", "de");
    expect(german.span(before, before + 7_200_000)).toBe("02:00 – 03:00");
    expect(german.day(Date.UTC(2026, 10, 22, 23, 30))).toBe("Montag, 23. November 2026");
  });

  it("name days as the server does, wherever the visitor is", () => {
    expect(dayParts("2026-11-22")).toEqual({
      weekday: "Sun",
      date: "22",
      month: "November 2026",
      label: "Sunday 22 November 2026",
    });
    expect(dayParts("2026-03-01", "de")).toEqual({
      weekday: "So",
      date: "1",
      month: "März 2026",
      label: "Sonntag, 1. März 2026",
    });
  });
});

describe("the rendition", () => {
  const all = [1536, 768].map((width) => ({ width, url: `${width}`, bytes: width }));
  it("is the smallest that is sharp", () => {
    const widths = [300, 768, 780, 1000, 1536, 3000].map(
      (pixels) => renditionFor(all, pixels)?.width,
    );
    expect(widths).toEqual([768, 768, 768, 1536, 1536, 1536]);
    expect(renditionFor([], 300)).toBeUndefined();
    expect(renditionFor(all.slice(1), 3000)?.width).toBe(768);
  });
});
