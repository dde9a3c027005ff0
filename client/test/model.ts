/**
 * A model of the server, of the network and of dice, for the simulation: small, slow, forgetful, and all from one seed.
 *
 * It follows PROTOCOL.md: operations are numbered and durable before they are acknowledged, calls of a session are applied
 * once, one's own operations do not come as events, a replay includes them, old operations are forgotten.
 */

import type { DescMessage } from "@bufbuild/protobuf";
import { create, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Caller, ConnectionLost } from "../src/connection/connection";
import { RpcError } from "../src/connection/wsrpc";
import {
  CanvasEventSchema,
  type PaintRequest,
  PaintResponseSchema,
  PaintsEventSchema,
  type SubscribeRequest,
  SubscribeResponseSchema,
} from "../src/gen/dreamcanvas_pb";
import { type Dab, drawDab } from "../src/replica/brush";
import { Pixels } from "../src/replica/pixels";
import type { Picture, Pictures } from "../src/sync/pictures";
import type { Sync } from "../src/sync/sync";

export const SIDE = 24;

/** Mulberry32: small, seeded, good enough for dice. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(p: number): boolean {
    return this.next() < p;
  }
}

interface Stored {
  readonly seq: number;
  readonly author: number;
  readonly stroke: number;
  readonly dab: Dab;
}

interface Session {
  readonly author: number;
  lastCall: number;
  lastSeq: number;
}

export class ModelServer {
  readonly operations: Stored[] = [];
  readonly dreams: { seq: number; picture: Pixels }[] = [{ seq: 0, picture: new Pixels(SIDE, SIDE) }];
  readonly links = new Set<Link>();
  private readonly sessions = new Map<string, Session>();
  private readonly dice: Dice;
  private readonly kept: number;
  private readonly refusing: number;

  /** Keeps so many operations for `since`; refuses calls with this probability. */
  constructor(dice: Dice, kept: number, refusing: number) {
    this.dice = dice;
    this.kept = kept;
    this.refusing = refusing;
  }

  get seq(): number {
    return this.operations.length;
  }

  get dream(): number {
    return this.dreams.length - 1;
  }

  picture(): Pixels {
    const { seq, picture } = this.dreams[this.dream];
    const pixels = new Pixels(SIDE, SIDE);
    pixels.copy(picture);
    for (const { dab } of this.operations.slice(seq)) drawDab(pixels, dab);
    return pixels;
  }

  /** A dream of the present picture, which others learn of after a while. */
  startDream(): void {
    const seq = this.seq;
    const picture = this.picture();
    for (let i = 0; i < picture.data.length; i += 4) {
      for (let c = 0; c < 3; c++) picture.data[i + c] = (picture.data[i + ((c + 1) % 3)] * 200) >> 8;
    }
    setTimeout(
      () => {
        if (seq < this.dreams[this.dream].seq) return;
        this.dreams.push({ seq, picture });
        const event = { dream: BigInt(this.dream), dreamSeq: BigInt(seq), url: `/dreams/${this.dream}.jpg` };
        for (const link of this.links)
          link.event("canvas", toBinary(CanvasEventSchema, create(CanvasEventSchema, event)));
      },
      this.dice.whole(20, 400),
    );
  }

  subscribe(link: Link, request: SubscribeRequest) {
    const key = Buffer.from(request.session).toString("hex");
    let session = this.sessions.get(key);
    if (!session) {
      session = { author: request.session[0], lastCall: 0, lastSeq: 0 };
      this.sessions.set(key, session);
    }
    link.session = session;
    link.from = this.seq + 1;
    const since = Number(request.since);
    const asked = link.asked(request);
    const resync = asked && (since > this.seq || since < this.seq - this.kept);
    if (asked && !resync) this.replay(link, since);
    return create(SubscribeResponseSchema, {
      seq: BigInt(this.seq),
      author: session.author,
      lastCall: session.lastCall,
      dream: BigInt(this.dream),
      dreamSeq: BigInt(this.dreams[this.dream].seq),
      resync,
      limits: { dabsPerCall: 5 },
    });
  }

  paint(link: Link, { dabs, stroke, call }: PaintRequest): Promise<MessageShape<typeof PaintResponseSchema>> {
    const { session } = link;
    if (!session) throw new Error("paint before subscribe");
    return new Promise((resolve, reject) => {
      const duplicate = () =>
        resolve(create(PaintResponseSchema, { seq: BigInt(session.lastSeq), duplicate: true }));
      if (call <= session.lastCall) return duplicate();
      if (this.dice.chance(this.refusing)) return reject(new RpcError("RATE_LIMITED", "wait", "", 30));
      // Being made durable takes a while; the connection may be gone by then.
      link.commit(() => {
        if (call <= session.lastCall) return duplicate();
        const made = dabs.map(({ pos, size, color }, i) => {
          const dab = { x: pos?.x ?? 0, y: pos?.y ?? 0, size, color };
          return { seq: this.seq + 1 + i, author: session.author, stroke, dab };
        });
        this.operations.push(...made);
        session.lastCall = call;
        session.lastSeq = this.seq;
        for (const other of this.links) if (other !== link) other.operations(made);
        resolve(create(PaintResponseSchema, { seq: BigInt(this.seq) }));
      });
    });
  }

  private replay(link: Link, since: number): void {
    const missed = this.operations.slice(since);
    for (let i = 0; i < missed.length; ) {
      const count = this.dice.whole(1, 6);
      link.event("paints", paints(missed.slice(i, i + count)));
      i += count;
    }
  }
}

/** A connection of the model network: what is sent arrives in order and late, or not at all. */
export class Link implements Caller {
  session: Session | undefined;
  /** Live operations start here. */
  from = Number.POSITIVE_INFINITY;
  private readonly server: ModelServer;
  private readonly sync: () => Sync;
  private readonly dice: Dice;
  private open = true;
  private up = 0;
  private down = 0;
  private committed = 0;
  private readonly rejects = new Set<(error: Error) => void>();

  constructor(server: ModelServer, sync: () => Sync, dice: Dice) {
    this.server = server;
    this.sync = sync;
    this.dice = dice;
    server.links.add(this);
  }

  asked(request: SubscribeRequest): boolean {
    return Object.hasOwn(request, "since");
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: { readonly name: string; readonly input: I; readonly output: O },
    init: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const request = create(method.input, init);
    return new Promise<MessageShape<O>>((resolve, reject) => {
      if (!this.open) {
        reject(new ConnectionLost("closed"));
        return;
      }
      this.rejects.add(reject);
      this.up = this.later(this.up, () => {
        // What was sent may be applied although the sender is gone.
        if (!this.open && this.dice.chance(0.5)) return;
        const answer = (give: () => void) => {
          this.down = this.later(this.down, () => {
            if (!this.open) return;
            this.rejects.delete(reject);
            give();
          });
        };
        if (method.name === "subscribe") {
          const reply = this.server.subscribe(this, request as unknown as SubscribeRequest);
          answer(() => resolve(reply as unknown as MessageShape<O>));
        } else {
          this.server.paint(this, request as unknown as PaintRequest).then(
            (reply) => answer(() => resolve(reply as unknown as MessageShape<O>)),
            (error: Error) => answer(() => reject(error)),
          );
        }
      });
    });
  }

  commit(apply: () => void): void {
    this.committed = this.later(this.committed, apply);
  }

  operations(made: readonly Stored[]): void {
    const wanted = made.filter(({ seq }) => seq >= this.from);
    if (wanted.length > 0) this.event("paints", paints(wanted));
  }

  event(name: string, payload: Uint8Array): void {
    this.down = this.later(this.down, () => {
      if (this.open) this.sync().event(name, payload);
    });
  }

  cut(): void {
    if (!this.open) return;
    this.open = false;
    this.server.links.delete(this);
    for (const reject of this.rejects) reject(new ConnectionLost("cut"));
    this.sync().closed();
  }

  private later(after: number, act: () => void): number {
    const at = Math.max(after, performance.now() + this.dice.whole(0, 40));
    setTimeout(act, at - performance.now());
    return at;
  }
}

/** Pictures that come late, or not at all. */
export class ModelPictures implements Pictures {
  private readonly server: ModelServer;
  private readonly dice: Dice;

  constructor(server: ModelServer, dice: Dice) {
    this.server = server;
    this.dice = dice;
  }

  async dream(url: string): Promise<Pixels> {
    await this.way();
    return this.server.dreams[Number(/\d+/.exec(url)?.[0])].picture;
  }

  async canvas(): Promise<Picture> {
    const { dream, seq } = this.server;
    const pixels = this.server.picture();
    await this.way();
    return { pixels, dream, seq };
  }

  private async way(): Promise<void> {
    const fails = this.dice.chance(0.1);
    await new Promise((resolve) => setTimeout(resolve, this.dice.whole(1, 200)));
    if (fails) throw new Error("the picture did not come");
  }
}

function paints(operations: readonly Stored[]): Uint8Array {
  const events = operations.map(({ seq, author, stroke, dab: { x, y, size, color } }) => ({
    seq: BigInt(seq),
    author,
    stroke,
    pos: { x, y },
    size,
    color,
  }));
  return toBinary(PaintsEventSchema, create(PaintsEventSchema, { paints: events }));
}
