import { describe, expect, test } from "vitest";
import { Bucket } from "../../src/sync/bucket";
import { CAPACITY, Call, Outbox } from "../../src/sync/outbox";

const dab = (x: number) => ({ x, y: 0, size: 8, color: 0 });
const dabs = (count: number) => Array.from({ length: count }, (_, i) => dab(i));
const unlimited = { dabsPerCall: 10, dabsPerSecond: 0, dabsBurst: 0 };

function outbox(bounds = unlimited): Outbox {
  const box = new Outbox();
  box.bound(bounds, 0);
  return box;
}

function taken(box: Outbox, now = 0): Call {
  const call = box.next(now);
  if (!(call instanceof Call)) throw new Error(`no call but ${call}`);
  return call;
}

describe("the outbox", () => {
  test("gathers dabs into calls of one stroke, no longer than allowed", () => {
    const box = outbox();
    box.add(1, dabs(7));
    box.add(1, dabs(7));
    box.add(2, dabs(1));
    const calls: Call[] = [];
    for (let i = 0; i < 3; i++) {
      calls.push(taken(box));
      expect(box.next(0)).toBeUndefined(); // one at a time
      box.remove(calls[i]);
    }
    expect(calls.map(({ number, stroke, dabs }) => [number, stroke, dabs.length])).toEqual([
      [1, 1, 10],
      [2, 1, 4],
      [3, 2, 1],
    ]);
    expect(box.next(0)).toBeUndefined();
    expect(box.dabs).toBe(0);
  });

  test("adds nothing to a call that was sent", () => {
    const box = outbox();
    box.add(1, dabs(2));
    const call = taken(box);
    box.add(1, dabs(3));
    expect(call.dabs).toHaveLength(2);
    box.remove(call);
    expect(taken(box).dabs).toHaveLength(3);
  });

  test("takes a stroke back after all that was drawn before, and adds nothing to that call", () => {
    const box = outbox();
    box.add(1, dabs(2));
    box.undo(1);
    box.add(1, dabs(1));
    expect(box.dabs).toBe(4);
    const calls = [1, 2, 3].map(() => {
      const call = taken(box);
      box.remove(call);
      return [call.number, call.undoes, call.dabs.length];
    });
    expect(calls).toEqual([
      [1, false, 2],
      [2, true, 0],
      [3, false, 1],
    ]);
    expect(box.dabs).toBe(0);
  });

  test("sends the call that takes a stroke back again until it is known to have arrived", () => {
    const box = outbox();
    box.undo(1);
    const call = taken(box);
    box.lost();
    expect(box.resume(0)).toBeUndefined();
    expect(taken(box)).toBe(call);
    box.lost();
    expect(box.resume(1)).toBe(call);
    expect(box.dabs).toBe(0);
  });

  test("keeps so much ink and no more", () => {
    const box = outbox();
    expect(box.add(1, dabs(CAPACITY + 5)).flatMap(({ added }) => added)).toHaveLength(CAPACITY);
    expect(box.full).toBe(true);
    expect(box.add(1, dabs(1))).toEqual([]);
    box.remove(taken(box));
    expect(box.dabs).toBe(CAPACITY - 10);
  });

  test("stays under the server's rate", () => {
    const box = outbox({ dabsPerCall: 10, dabsPerSecond: 100, dabsBurst: 20 });
    box.add(1, dabs(30));
    const first = taken(box, 0);
    box.remove(first);
    expect(first.dabs).toHaveLength(10);
    const wait = box.next(0);
    expect(wait).toBeGreaterThan(0);
    expect(taken(box, wait as number).dabs).toHaveLength(10);
  });

  test("makes no call that is larger than the burst", () => {
    const box = outbox({ dabsPerCall: 100, dabsPerSecond: 10, dabsBurst: 5 });
    box.add(1, dabs(9));
    expect(taken(box, 0).dabs.length).toBeLessThanOrEqual(5);
  });

  test("sends a refused call again after a while, before all others", () => {
    const box = outbox();
    box.add(1, dabs(20));
    const first = taken(box);
    box.refused(0, 500);
    expect(box.next(100)).toBe(400);
    expect(taken(box, 500)).toBe(first);
    expect(first.number).toBe(1);
  });

  test("sends the call in doubt again under its number where it was not applied", () => {
    const box = outbox();
    box.add(1, dabs(20));
    const first = taken(box);
    box.lost();
    expect(box.resume(0)).toBeUndefined();
    expect(taken(box)).toBe(first);
    expect(first.number).toBe(1);
  });

  test("does not send the call in doubt again where it was applied", () => {
    const box = outbox();
    box.add(1, dabs(20));
    const first = taken(box);
    box.lost();
    expect(box.resume(1)).toBe(first);
    expect(taken(box).number).toBe(2);
  });

  test("holds tentative ink back, and takes it back", () => {
    const box = outbox();
    box.hold(true);
    box.add(5, dabs(3));
    expect(box.next(0)).toBeUndefined();
    expect(box.cancel(5).map(({ stroke }) => stroke)).toEqual([5]);
    box.hold(false);
    expect(box.next(0)).toBeUndefined();
    expect(box.dabs).toBe(0);
  });
});

describe("a bucket", () => {
  test("gives its capacity at once and its rate in the long run", () => {
    const bucket = new Bucket(10, 5, 0);
    expect(bucket.take(5, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(100);
    expect(bucket.take(1, 100)).toBe(0);
    expect(bucket.take(5, 10_000)).toBe(0);
    expect(bucket.take(1, 10_000)).toBe(100);
  });

  test("of rate 0 has no limit", () => {
    expect(new Bucket(0, 0, 0).take(1e9, 0)).toBe(0);
  });
});
