import { beforeEach, describe, expect, test } from "vitest";
import { type Dab, drawDab } from "../../src/replica/brush";
import { Pixels } from "../../src/replica/pixels";
import { type Ink, type Operation, Replica } from "../../src/replica/replica";

const SIDE = 40;
const ME = 7;
const OTHER = 9;

function dab(x: number, color = 0): Dab {
  return { x, y: 20, size: 15, color };
}

function operation(seq: number, content: Dab, author = OTHER): Operation {
  return { seq, author, stroke: 0, content: { dab: content } };
}

function ink(...dabs: Dab[]): Ink {
  return { stroke: 1, dabs };
}

/** What these dabs are on a base, painted one after the other. */
function painted(dabs: Dab[], base?: Pixels): string {
  const pixels = new Pixels(SIDE, SIDE);
  if (base) pixels.copy(base);
  for (const each of dabs) drawDab(pixels, each);
  return pixels.hash();
}

function dream(level: number): Pixels {
  return new Pixels(SIDE, SIDE, new Uint8ClampedArray(SIDE * SIDE * 4).fill(level));
}

let replica: Replica;
let changes: string[];

beforeEach(() => {
  changes = [];
  replica = new Replica(SIDE, SIDE, {
    drawn: (_, each) => changes.push(each ? `dab ${each.x}` : "area"),
    rebasing: () => changes.push("rebasing"),
    rebased: () => changes.push("rebased"),
  });
});

describe("operations", () => {
  test("are drawn in the order of their numbers, once", () => {
    const [a, b, c] = [dab(10, 0xff0000), dab(14, 0xff00), dab(18, 0xff)];
    replica.receive(operation(3, c));
    replica.receive(operation(1, a));
    expect(replica.seq).toBe(1);
    expect(replica.gap).toBe(true);
    replica.receive(operation(1, a));
    replica.receive(operation(2, b));
    replica.receive(operation(3, c));
    expect(replica.seq).toBe(3);
    expect(replica.gap).toBe(false);
    expect(replica.shown.hash()).toBe(painted([a, b, c]));
    expect(changes).toEqual(["dab 10", "dab 14", "dab 18"]);
  });

  test("that are patches are blended by their alpha", () => {
    const rgba = new Uint8ClampedArray([10, 20, 30, 255, 10, 20, 30, 0]);
    const patch = { x: 5, y: 6, width: 2, height: 1, rgba };
    replica.receive({ seq: 1, author: 0, stroke: 0, content: { patch } });
    expect(replica.shown.at(5, 6)).toEqual([10, 20, 30]);
    expect(replica.shown.at(6, 6)).toEqual([255, 255, 255]);
  });

  test("wait while the replica is held, and come when it is released", () => {
    replica.hold();
    replica.receive(operation(1, dab(10)));
    expect(replica.seq).toBe(0);
    expect(replica.waits(1)).toBe(true);
    replica.release();
    expect(replica.seq).toBe(1);
  });
});

describe("own ink", () => {
  test("is seen at once, and settling it changes nothing on the screen", () => {
    const mine = ink(dab(10, 0xff0000), dab(13, 0xff));
    replica.draw(mine, mine.dabs);
    const seen = replica.shown.hash();
    expect(seen).toBe(painted([...mine.dabs]));
    changes = [];
    replica.settle(mine, ME, 2);
    expect(replica.seq).toBe(2);
    expect(replica.shown.hash()).toBe(seen);
    expect(changes).toEqual([]);
  });

  test("lies over others' ink that came meanwhile, as long as it has no number", () => {
    const mine = ink(dab(10, 0xff0000));
    replica.draw(mine, mine.dabs);
    const theirs = dab(14, 0xff);
    replica.receive(operation(1, theirs));
    expect(replica.shown.hash()).toBe(painted([theirs, ...mine.dabs]));
    replica.settle(mine, ME, 2);
    expect(replica.shown.hash()).toBe(painted([theirs, ...mine.dabs]));
  });

  test("goes under others' ink that has a later number", () => {
    const mine = ink(dab(10, 0xff0000));
    replica.draw(mine, mine.dabs);
    const theirs = dab(14, 0xff);
    replica.receive(operation(2, theirs));
    replica.settle(mine, ME, 1);
    expect(replica.seq).toBe(2);
    expect(replica.shown.hash()).toBe(painted([...mine.dabs, theirs]));
  });

  test("that was confirmed out of turn moves under what is still provisional", () => {
    const [first, second] = [ink(dab(10, 0xff0000)), ink(dab(13, 0xff))];
    replica.draw(first, first.dabs);
    replica.draw(second, second.dabs);
    replica.settle(second, ME, 1);
    expect(replica.shown.hash()).toBe(painted([...second.dabs, ...first.dabs]));
    replica.settle(first, ME, 2);
    expect(replica.shown.hash()).toBe(painted([...second.dabs, ...first.dabs]));
  });

  test("that was refused is taken away, and only it", () => {
    const [refused, kept] = [ink(dab(10, 0xff0000)), ink(dab(13, 0xff))];
    replica.draw(refused, refused.dabs);
    replica.draw(kept, kept.dabs);
    replica.discard(refused);
    expect(replica.shown.hash()).toBe(painted([...kept.dabs]));
  });

  test("is not drawn twice when the picture had it before its number was known", () => {
    const mine = ink(dab(10, 0xff0000), dab(13, 0xff));
    replica.draw(mine, mine.dabs);
    const base = dream(90);
    replica.hold();
    replica.reset(base, 4, 11);
    replica.settle(mine, ME, 10);
    expect(replica.shown.hash()).toBe(base.hash());
  });
});

describe("a dream", () => {
  test("becomes the base, with the later operations and own ink on it", () => {
    const [old, late] = [dab(8, 0xff0000), dab(12, 0xff00)];
    replica.receive(operation(1, old));
    replica.receive(operation(2, late));
    const mine = ink(dab(16, 0xff));
    replica.draw(mine, mine.dabs);
    changes = [];
    replica.lay(dream(100), 1, 1);
    expect(replica.dream).toBe(1);
    expect(replica.seq).toBe(2);
    expect(replica.shown.hash()).toBe(painted([late, ...mine.dabs], dream(100)));
    expect(changes).toEqual(["rebasing", "rebased"]);
  });

  test("may contain operations that have not come yet", () => {
    replica.receive(operation(1, dab(8)));
    replica.receive(operation(4, dab(20)));
    replica.lay(dream(100), 1, 3);
    expect(replica.seq).toBe(4);
    expect(replica.shown.hash()).toBe(painted([dab(20)], dream(100)));
    replica.receive(operation(2, dab(12)));
    expect(replica.shown.hash()).toBe(painted([dab(20)], dream(100)));
  });

  test("can't be laid without the operations after it", () => {
    replica.reset(dream(100), 3, 50);
    expect(replica.canLay(49)).toBe(false);
    expect(() => replica.lay(dream(110), 4, 49)).toThrow(RangeError);
    expect(replica.canLay(50)).toBe(true);
  });

  test("comes when the page is seen again: operations that no dream will need are forgotten", () => {
    for (let seq = 1; seq <= 5; seq++) replica.receive(operation(seq, dab(seq * 4, seq)));
    replica.trim(3);
    expect(replica.canLay(2)).toBe(false);
    replica.lay(dream(50), 2, 4);
    expect(replica.shown.hash()).toBe(painted([dab(20, 5)], dream(50)));
  });
});

test("unclaimed operations of an author are given in order", () => {
  const mine = ink(dab(10));
  replica.draw(mine, mine.dabs);
  replica.hold();
  replica.receive(operation(3, dab(3), ME));
  replica.receive(operation(2, dab(2), ME));
  replica.receive(operation(1, dab(1), OTHER));
  replica.receive(operation(9, dab(9), ME));
  replica.settle(mine, ME, 4);
  expect(replica.unclaimed(ME, 8).map(({ seq }) => seq)).toEqual([2, 3]);
});
