import { describe, expect, it } from "vitest";
import type {
  Day,
  DayDetails,
  MovieWindow,
  Past,
  State,
  WindowDetails,
} from "../../src/history/api";
import { type Archive, type Found, Guide, type NotFound } from "../../src/history/guide";
import { windowName } from "../../src/history/moments";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.UTC(2026, 10, 22);
const file = { width: 768, url: "/movies/x-768.mp4", bytes: 1 };

function window(hour: number, state: State = "ENCODED", hours = 2): MovieWindow {
  const start = MIDNIGHT + hour * HOUR;
  const renditions = state === "ENCODED" ? [file] : [];
  const rest = {
    frames: 4,
    seconds: 1,
    poster: "",
    sprite: "",
    dabs: 3,
    styles: [{ start, style: "Fur" }],
  };
  return { start, end: start + hours * HOUR, state, renditions, ...rest };
}

/**
 * A server that has these windows, each with a dream every half an hour from its tenth minute on.
 */
class Server implements Archive {
  readonly asked: string[] = [];
  private readonly windows: MovieWindow[];
  private readonly dayState: State;
  private readonly pageSize: number;

  constructor(windows: MovieWindow[], dayState: State = "ENCODED", pageSize = 500) {
    this.windows = windows.sort((a, b) => b.start - a.start);
    this.dayState = dayState;
    this.pageSize = pageSize;
  }

  private days(): Day[] {
    const starts = [...new Set(this.windows.map(({ start }) => Math.floor(start / DAY) * DAY))];
    return starts.map((start) => ({
      ...window(0, this.dayState),
      day: new Date(start).toISOString().slice(0, 10),
      start,
      end: start + DAY,
      windows: 1,
      movieFrames: 2,
    }));
  }

  async fetchPast(before = Number.POSITIVE_INFINITY, limit = 1): Promise<Past> {
    const windows = this.windows
      .filter(({ start }) => start < before)
      .slice(0, Math.min(limit, this.pageSize));
    return {
      timezone: "UTC",
      windowSeconds: 7200,
      fps: 30,
      thumbnails: 100,
      days: this.days(),
      windows,
    };
  }

  async fetchWindow(name: string): Promise<WindowDetails | undefined> {
    this.asked.push(name);
    const found = this.windows.find(({ start }) => windowName(start) === name);
    const times = found && [10, 40, 70, 100].map((minute) => found.start + minute * 60_000);
    return found && { window: found, dreams: [1, 2, 3, 4], times: times ?? [], dabsPerMinute: [3] };
  }

  async fetchDay(name: string): Promise<DayDetails | undefined> {
    const day = this.days().find((each) => each.day === name);
    return day && { day, dreams: [1, 9], times: [day.start + HOUR, day.start + 15 * HOUR] };
  }
}

function at(hour: number, minute: number): { time: number } {
  return { time: MIDNIGHT + hour * HOUR + minute * 60_000 };
}

function told(found: Found | NotFound): unknown[] {
  return "missing" in found ? [found.missing] : [found.reel.name, found.index, found.remark];
}

async function find(
  server: Server,
  link: { time: number } | { day: string },
  now = MIDNIGHT + 2 * DAY,
) {
  return told(await new Guide(server, () => now).find(link));
}

describe("a moment", () => {
  it("is the newest dream in its window, found by one question", async () => {
    const server = new Server([window(14), window(16)]);
    expect(await find(server, at(14, 45))).toEqual(["20261122T140000Z", 1, undefined]);
    expect(server.asked).toEqual(["20261122T140000Z"]);
  });

  it("at a window's beginning is its first dream, as the feed links it", async () => {
    expect(await find(new Server([window(14)]), at(14, 0))).toEqual([
      "20261122T140000Z",
      0,
      undefined,
    ]);
  });

  it("in a time without dreams is the last dream before", async () => {
    expect(await find(new Server([window(10), window(16)]), at(14, 45))).toEqual([
      "20261122T100000Z",
      3,
      undefined,
    ]);
  });

  it("before the first dream is the first dream, and is said", async () => {
    expect(await find(new Server([window(10), window(16)]), at(-30, 0))).toEqual([
      "20261122T100000Z",
      0,
      "tooEarly",
    ]);
  });

  it("to come is the newest dream, and is said", async () => {
    expect(await find(new Server([window(10, "RECORDING")]), at(99, 0))).toEqual([
      "20261122T100000Z",
      3,
      "tooLate",
    ]);
  });

  it("in a window of another length is found too", async () => {
    const server = new Server([window(9, "ENCODED", 1), window(16)]);
    expect(await find(server, at(9, 41))).toEqual(["20261122T090000Z", 1, undefined]);
  });

  it("in a movie that has gone is the day's movie near it", async () => {
    const server = new Server([window(14, "EXPIRED"), window(16)]);
    expect(await find(server, at(15, 30))).toEqual(["2026-11-22", 1, "gone"]);
  });

  it("in a movie that has gone with its day's is missed", async () => {
    expect(await find(new Server([window(14, "EXPIRED")], "EXPIRED"), at(15, 30))).toEqual([
      "gone",
    ]);
  });

  it("of an empty history is missed", async () => {
    expect(await find(new Server([]), at(15, 30))).toEqual(["noSuch"]);
  });
});

describe("a day", () => {
  it("is its movie", async () => {
    expect(await find(new Server([window(14)]), { day: "2026-11-22" })).toEqual([
      "2026-11-22",
      0,
      undefined,
    ]);
  });

  it("that there is not is missed", async () => {
    expect(await find(new Server([window(14)]), { day: "2020-01-01" })).toEqual(["noSuch"]);
  });
});

describe("the neighbours of a window", () => {
  it("are the next ones with dreams, also on other days", async () => {
    const guide = new Guide(new Server([window(-10), window(2), window(20), window(30)]));
    const around = (hour: number) => guide.neighbours(MIDNIGHT + hour * HOUR);
    const start = (hour: number) => MIDNIGHT + hour * HOUR;
    expect(await around(2)).toEqual({ earlier: start(-10), later: start(20) });
    expect(await around(20)).toEqual({ earlier: start(2), later: start(30) });
    expect(await around(-10)).toEqual({ earlier: undefined, later: start(2) });
    expect(await around(30)).toEqual({ earlier: start(20), later: undefined });
  });

  it("are found by pages where windows are short", async () => {
    const many = Array.from({ length: 24 }, (_, i) => window(i, "ENCODED", 1));
    const guide = new Guide(new Server(many));
    expect(await guide.neighbours(MIDNIGHT)).toEqual({
      earlier: undefined,
      later: MIDNIGHT + HOUR,
    });
  });
});
