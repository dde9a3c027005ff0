import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { StatusEvent_Dreamer as Dreamer, StatusEventSchema } from "../../src/gen/dreamcanvas_pb";
import { parseBrush, sizeAt, sliderAt } from "../../src/ui/brush_settings";
import {
  dreamWords,
  noticeWords,
  peopleWords,
  refusalWords,
  type Situation,
  statusWords,
} from "../../src/ui/status_words";

const status = (init: Parameters<typeof create<typeof StatusEventSchema>>[1]) =>
  create(StatusEventSchema, init);
const dreaming = status({ users: 3, dreamer: Dreamer.DREAMING, style: "Feathered eyes" });
const live: Situation = {
  phase: "live",
  status: dreaming,
  hasPicture: true,
  waiting: 0,
  full: false,
  restarting: false,
  mode: "draw",
};

describe("the status line", () => {
  test("says who is here and what is dreamt", () => {
    expect(statusWords(live)).toEqual({ here: "3 here", dream: "dreaming of Feathered eyes" });
    expect(peopleWords(status({ users: 1 }))).toBe("Just you here");
    expect(peopleWords(status({ users: 1200 }))).toBe("1,200 here");
  });

  test("has words for everything that the dreamer may be doing", () => {
    const words = Object.values(Dreamer)
      .filter((each) => typeof each === "number")
      .map((dreamer) => dreamWords(status({ dreamer })));
    expect(words).toHaveLength(6);
    expect(words.every((each) => each.length > 0)).toBe(true);
  });

  test("says that white paper waits for somebody to draw", () => {
    const waiting = { dreamer: Dreamer.WAITING, style: "Feathered eyes" };
    expect(dreamWords(status({ ...waiting, nextDream: 1n }))).toBe("dreaming of Feathered eyes");
    expect(dreamWords(status({ ...waiting, nextDream: 0n }))).toBe("it dreams once someone draws");
    expect(dreamWords(status({ ...waiting, dreamer: Dreamer.DREAMING }))).toBe(
      "dreaming of Feathered eyes",
    );
  });

  test("says how far the page has come", () => {
    expect(statusWords({ ...live, phase: "connecting" }).here).toBe("Connecting…");
    expect(statusWords({ ...live, phase: "loading", hasPicture: false }).here).toBe(
      "Fetching the picture…",
    );
    expect(statusWords({ ...live, phase: "offline" })).toEqual({ here: "Offline", dream: "" });
  });
});

describe("the notice", () => {
  test("is not there while all is well", () => {
    expect(noticeWords(live)).toBeUndefined();
  });

  test("says that the connection is gone and that ink is kept, with its count", () => {
    const offline: Situation = { ...live, phase: "offline" };
    expect(noticeWords(offline)?.text).toBe(
      "Connection lost. Reconnecting… what you draw is kept.",
    );
    expect(noticeWords({ ...offline, waiting: 1234 })?.text).toContain("(1,234 dabs)");
    expect(noticeWords({ ...offline, full: true })?.text).toContain("No more ink can be kept");
    expect(noticeWords({ ...offline, hasPicture: false })?.text).toContain("can’t be reached");
  });

  test("says that the server restarts, where it said so, and that the ink is kept", () => {
    const gone: Situation = { ...live, phase: "offline", restarting: true };
    expect(noticeWords(gone)?.text).toContain("restarting");
    expect(noticeWords({ ...gone, waiting: 3 })?.text).toContain("(3 dabs)");
  });

  test("says what a tap does, where it does not draw", () => {
    expect(noticeWords({ ...live, mode: "pick" })?.text).toContain("colour");
    expect(noticeWords({ ...live, mode: "story" })?.text).toContain("place");
    expect(noticeWords({ ...live, mode: "story", phase: "offline" })?.text).toContain(
      "Connection lost",
    );
  });

  test("says that nobody may draw", () => {
    expect(noticeWords({ ...live, status: status({ readOnly: true }) })?.text).toContain(
      "read-only",
    );
  });

  test("has the host's line", () => {
    const announcement = "Back at nine";
    expect(noticeWords({ ...live, status: status({ announcement }) })?.text).toBe(announcement);
    const both = noticeWords({ ...live, status: status({ announcement, readOnly: true }) })?.text;
    expect(both).toContain("read-only");
    expect(both).toContain(announcement);
  });
});

test("refusals say whether the ink is kept", () => {
  expect(refusalWords("RATE_LIMITED", true)).toContain("follows");
  expect(refusalWords("FORBIDDEN", false)).toContain("taken back");
  const told = refusalWords(
    "FORBIDDEN",
    false,
    "FORBIDDEN: banned until 2026-11-26 23:21 UTC: Scribbles: big",
  );
  expect(told).toContain("2026-11-26 23:21 UTC");
  expect(told).toContain("Scribbles: big");
  expect(refusalWords("TOO_LATE", false)).toContain("Too late");
  expect(refusalWords("INTERNAL", false)).toContain("taken back");
});

describe("the tools", () => {
  test("are as they were, as far as what was saved is sound", () => {
    expect(parseBrush('{"color":255,"size":124}')).toMatchObject({ color: 255, size: 124 });
    const fresh = parseBrush(null);
    for (const odd of ["", "[]", "3", '{"color":-1,"size":125,"custom":"red"}', '{"size":1.5}']) {
      expect(parseBrush(odd)).toEqual(fresh);
    }
  });

  test("have every size from 1 to 124 pixels within the slider's ends", () => {
    expect([sizeAt(0), sizeAt(100)]).toEqual([1, 124]);
    expect([sliderAt(1), sliderAt(124)]).toEqual([0, 100]);
  });
});
