import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CanvasEventSchema } from "../../src/gen/dreamcanvas_pb";
import { Replica } from "../../src/replica/replica";
import { Sync } from "../../src/sync/sync";
import { Dice, Link, ModelPictures, ModelServer, SIDE } from "./model";

/** Seeds of the simulation; more of them by SIMULATION_SEEDS. */
const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 150);
const FIRST = Number(process.env.SIMULATION_FIRST ?? 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A page without a screen. */
class Painter {
  readonly replica = new Replica(SIDE, SIDE);
  readonly sync: Sync;
  readonly drawn: number[] = [];
  /** The colours of strokes that were taken back, with the strokes' numbers. */
  readonly undone = new Map<number, number>();
  private readonly strokes: { number: number; colors: number[] }[] = [];
  link: Link | undefined;
  private stroke = 0;

  constructor(
    readonly number: number,
    readonly server: ModelServer,
    readonly dice: Dice,
  ) {
    const session = new Uint8Array(16).fill(number);
    const caller = {
      call: ((...rest) => (this.link as Link).call(...rest)) as Link["call"],
    };
    this.sync = new Sync(this.replica, caller, new ModelPictures(server, dice), session, {
      changed: () => {},
      refused: () => {},
      pointed: () => {},
    });
  }

  connect(): void {
    this.link = new Link(this.server, () => this.sync, this.dice);
    this.sync.opened();
  }

  disconnect(): void {
    this.link?.cut();
    this.link = undefined;
  }

  /** A few dabs, each of a colour that no other dab has. */
  draw(): void {
    this.stroke += 1;
    const dabs = Array.from({ length: this.dice.whole(1, 8) }, () => {
      const color = (this.number << 16) + this.drawn.length;
      this.drawn.push(color);
      const at = () => this.dice.whole(-3, SIDE + 3);
      return { x: at(), y: at(), size: this.dice.whole(1, 12), color };
    });
    this.strokes.push({ number: this.stroke, colors: dabs.map(({ color }) => color) });
    this.sync.ink.draw(this.stroke, dabs);
    this.sync.ink.flush();
  }

  /** Takes the newest stroke back. */
  undo(): void {
    const { number, colors } = this.strokes.pop() ?? { number: 0, colors: [] };
    for (const color of colors) this.undone.set(color, number);
    this.sync.ink.undo();
  }

  get kept(): number[] {
    return this.drawn.filter((color) => !this.undone.has(color));
  }
}

const ascending = (a: number, b: number) => a - b;

async function simulate(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const forgetful = dice.chance(0.3);
  const server = new ModelServer(dice, forgetful ? 25 : 10_000, dice.chance(0.4) ? 0.15 : 0);
  const painters = [1, 2, 3].map((number) => new Painter(number, server, dice));
  for (const painter of painters) painter.connect();
  for (let step = 0; step < 120; step++) {
    const painter = painters[dice.whole(0, 2)];
    if (dice.chance(0.5)) painter.draw();
    if (dice.chance(0.06)) painter.undo();
    if (dice.chance(0.08)) painter.disconnect();
    if (!painter.link && dice.chance(0.4)) painter.connect();
    if (dice.chance(0.06)) server.startDream();
    if (dice.chance(0.05)) painter.sync.setVisible(dice.chance(0.5));
    await vi.advanceTimersByTimeAsync(dice.whole(0, 60));
  }
  for (const painter of painters) {
    painter.sync.setVisible(true);
    if (!painter.link) painter.connect();
  }
  await vi.advanceTimersByTimeAsync(60_000);
  // A last dream, so that all have the same base even where a picture was fetched whole.
  server.startDream();
  await vi.advanceTimersByTimeAsync(60_000);

  const expected = server.picture().hash();
  for (const painter of painters) {
    const { number, replica, sync } = painter;
    const applied = server.colors(number);
    const who = `seed ${seed}, painter ${number}`;
    expect(sync.phase, who).toBe("live");
    expect(sync.ink.outbox.dabs, who).toBe(0);
    expect(applied.filter((color) => !painter.undone.has(color)).sort(ascending), who).toEqual(
      painter.kept,
    );
    expect(new Set(applied).size, who).toBe(applied.length);
    // Of a stroke that was taken back before it was sent nothing arrives; of the others a patch.
    const strokes = new Set(
      applied.filter((color) => painter.undone.has(color)).map((c) => painter.undone.get(c)),
    );
    expect(server.patches(number), who).toBe(strokes.size);
    expect([replica.seq, replica.dream], who).toEqual([server.seq, server.dream]);
    expect(replica.shown.hash(), who).toBe(expected);
  }
}

describe("three painters with bad connections", () => {
  test(`end with equal pictures and every dab applied once, by ${SEEDS} seeds`, {
    timeout: 600_000,
  }, async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) await simulate(seed);
  });
});

describe("a page", () => {
  async function pair(): Promise<[ModelServer, Painter, Painter]> {
    const dice = new Dice(1);
    const server = new ModelServer(dice, 1000, 0);
    const [a, b] = [new Painter(1, server, dice), new Painter(2, server, dice)];
    a.connect();
    b.connect();
    await vi.advanceTimersByTimeAsync(2000);
    return [server, a, b];
  }

  test("shows another's ink", async () => {
    const [server, a, b] = await pair();
    a.draw();
    await vi.advanceTimersByTimeAsync(500);
    expect(b.replica.seq).toBe(server.seq);
    expect(b.replica.shown.hash()).toBe(a.replica.shown.hash());
  });

  test("keeps what was drawn offline and sends it on return, once", async () => {
    const [server, a, b] = await pair();
    a.disconnect();
    expect(a.sync.phase).toBe("offline");
    for (let i = 0; i < 20; i++) a.draw();
    const seen = a.replica.shown.hash();
    a.connect();
    await vi.advanceTimersByTimeAsync(2000);
    expect(server.colors(1)).toEqual(a.drawn);
    expect([a.replica.shown.hash(), b.replica.shown.hash()]).toEqual([seen, seen]);
  });

  test("takes a stroke back at once where it was not sent, and by a patch where it was", async () => {
    const [server, a, b] = await pair();
    const before = a.replica.shown.hash();
    a.disconnect();
    a.draw();
    expect(a.sync.ink.canUndo).toBe(true);
    a.undo();
    expect([a.replica.shown.hash(), a.sync.ink.outbox.dabs, a.sync.ink.canUndo]).toEqual([
      before,
      0,
      false,
    ]);
    a.connect();
    a.draw();
    await vi.advanceTimersByTimeAsync(2000);
    a.undo();
    await vi.advanceTimersByTimeAsync(2000);
    expect([server.colors(1).length > 0, server.patches(1), a.sync.ink.canUndo]).toEqual([
      true,
      1,
      false,
    ]);
    expect(a.replica.shown.hash()).toBe(server.picture().hash());
    expect(b.replica.shown.hash()).toBe(server.picture().hash());
  });

  test("can take a stroke back for as long as the server says", async () => {
    const [, a] = await pair();
    a.draw();
    await vi.advanceTimersByTimeAsync(50_000);
    expect(a.sync.ink.canUndo).toBe(true);
    await vi.advanceTimersByTimeAsync(9000);
    expect(a.sync.ink.canUndo).toBe(false);
  });

  test("fetches no dream while it is hidden, and the newest when it is seen again", async () => {
    const [server, a] = await pair();
    a.sync.setVisible(false);
    for (let i = 0; i < 3; i++) {
      server.startDream();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(a.replica.dream).toBe(0);
    a.sync.setVisible(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(a.replica.dream).toBe(3);
  });

  test("starts anew when the server left operations out", async () => {
    const [server, a, b] = await pair();
    a.link = undefined; // what b draws does not reach a's replica any more
    for (const link of server.links)
      if (link.session?.author === 1) link.from = Number.POSITIVE_INFINITY;
    b.draw();
    await vi.advanceTimersByTimeAsync(500);
    expect(a.replica.seq).toBe(0);
    const [link] = [...server.links].filter(({ session }) => session?.author === 1);
    a.link = link;
    link.event("canvas", toBinary(CanvasEventSchema, create(CanvasEventSchema, { resync: true })));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(a.replica.shown.hash()).toBe(b.replica.shown.hash());
  });

  test("asks again for an operation that does not come", async () => {
    const [server, a, b] = await pair();
    const [link] = [...server.links].filter(({ session }) => session?.author === 1);
    link.from = Number.POSITIVE_INFINITY;
    b.draw();
    await vi.advanceTimersByTimeAsync(500);
    link.from = 0;
    b.draw();
    await vi.advanceTimersByTimeAsync(500);
    expect(a.replica.gap).toBe(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect(a.replica.gap).toBe(false);
    expect(a.replica.shown.hash()).toBe(b.replica.shown.hash());
  });
});
