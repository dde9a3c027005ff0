import { describe, expect, test } from "vitest";
import { Strokes } from "../src/sync/strokes";

describe("one's own strokes", () => {
  test("are taken back the newest first", () => {
    const strokes = new Strokes();
    for (const number of [1, 2, 3]) strokes.drawn(number, 0);
    strokes.sent(2);
    expect(strokes.last(0)).toMatchObject({ number: 3, sent: false });
    strokes.forget(3);
    expect(strokes.last(0)).toMatchObject({ number: 2, sent: true });
    strokes.forget(2);
    strokes.forget(1);
    expect(strokes.last(0)).toBeUndefined();
  });

  test("can be taken back for so long after their last dab, a little less than the server allows", () => {
    const strokes = new Strokes();
    strokes.drawn(1, 0);
    strokes.sent(1);
    strokes.drawn(1, 10_000);
    expect(strokes.last(68_000)?.number).toBe(1);
    expect(strokes.last(69_000)).toBeUndefined();
    strokes.seconds = 0;
    expect(strokes.last(10 ** 9)?.number).toBe(1);
  });

  test("that were never sent can be taken back whenever", () => {
    const strokes = new Strokes();
    strokes.drawn(1, 0);
    expect(strokes.last(10 ** 7)?.number).toBe(1);
  });
});
