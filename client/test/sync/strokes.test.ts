import { describe, expect, test } from "vitest";
import { Strokes } from "../../src/sync/strokes";

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
    strokes.limit(0);
    expect(strokes.last(10 ** 9)?.number).toBe(1);
  });

  test("that were never sent can be taken back whenever", () => {
    const strokes = new Strokes();
    strokes.drawn(1, 0);
    expect(strokes.last(10 ** 7)?.number).toBe(1);
  });

  test("have numbers of their own, also after a reload", () => {
    const strokes = new Strokes();
    expect([strokes.next(), strokes.next()]).toEqual([1, 2]);
    strokes.restore([{ number: 7, drawn: 0 }], 9);
    expect([strokes.latest, strokes.next()]).toEqual([9, 10]);
    strokes.restore([], 3);
    expect(strokes.next()).toBe(11);
  });

  test("of the page before come before those of this one, and can be taken back", () => {
    const strokes = new Strokes();
    strokes.drawn(4, 5000);
    strokes.restore(
      [
        { number: 2, drawn: 1000 },
        { number: 3, drawn: 2000 },
      ],
      3,
    );
    const order: number[] = [];
    for (let last = strokes.last(6000); last; last = strokes.last(6000)) {
      order.push(last.number);
      strokes.forget(last.number);
    }
    expect(order).toEqual([4, 3, 2]);
  });

  test("are kept for a reload while the server knows them and can take them back", () => {
    const strokes = new Strokes();
    for (const number of [1, 2, 3]) strokes.drawn(number, number * 1000);
    strokes.sent(1);
    strokes.sent(3);
    expect(strokes.kept(10_000).map(({ number }) => number)).toEqual([1, 3]);
    expect(strokes.kept(60_000).map(({ number }) => number)).toEqual([3]);
  });
});
