/**
 * A model of the server, of the network and of dice, for the simulation: small, slow, forgetful,
 * and all from one seed.
 *
 * It follows PROTOCOL.md: operations are numbered and durable before they are acknowledged, calls
 * of a session are applied once, one's own dabs do not come as events, patches do, a replay
 * includes all, old operations are forgotten. A stroke is taken back by a patch of any pixels: what
 * they are is the server's affair. Their file is width, height and RGBA.
 */

import type { DescMessage } from "@bufbuild/protobuf";
import { create, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Caller, ConnectionLost } from "../../src/connection/connection";
import { RpcError } from "../../src/connection/wsrpc";
import {
  CanvasEventSchema,
  type PaintRequest,
  PaintResponseSchema,
  PaintsEventSchema,
  PatchEventSchema,
  type SubscribeRequest,
  SubscribeResponseSchema,
  type UndoRequest,
  UndoResponseSchema,
} from "../../src/gen/dreamcanvas_pb";
import { type Dab, drawDab } from "../../src/replica/brush";
import { drawPatch, type Patch } from "../../src/replica/patch";
import { Pixels } from "../../src/replica/pixels";
import type { Rgba } from "../../src/replica/png";
import type { Operation } from "../../src/replica/replica";
import type { Picture, Pictures } from "../../src/sync/pictures";
import type { Sync } from "../../src/sync/sync";

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

type Stored = Operation & { readonly content: { readonly dab: Dab } | { readonly patch: Patch } };

interface Session {
  readonly author: number;
  lastCall: number;
  lastSeq: number;
}

export class ModelServer {
  readonly operations: Stored[] = [];
  readonly dreams: { seq: number; picture: Pixels }[] = [
    { seq: 0, picture: new Pixels(SIDE, SIDE) },
  ];
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

  /** The colours of an author's dabs in the order in which they were applied. */
  colors(author: number): number[] {
    return this.operations.flatMap((each) =>
      each.author === author && "dab" in each.content ? [each.content.dab.color] : [],
    );
  }

  /** How many of an author's strokes were taken back. */
  patches(author: number): number {
    return this.operations.filter((each) => each.author === author && "patch" in each.content)
      .length;
  }

  picture(): Pixels {
    const { seq, picture } = this.dreams[this.dream];
    const pixels = new Pixels(SIDE, SIDE);
    pixels.copy(picture);
    for (const { content } of this.operations.slice(seq)) {
      if ("dab" in content) drawDab(pixels, content.dab);
      else drawPatch(pixels, content.patch);
    }
    return pixels;
  }

  /** A dream of the present picture, which others learn of after a while. */
  startDream(): void {
    const seq = this.seq;
    const picture = this.picture();
    for (let i = 0; i < picture.data.length; i += 4) {
      for (let c = 0; c < 3; c++)
        picture.data[i + c] = (picture.data[i + ((c + 1) % 3)] * 200) >> 8;
    }
    setTimeout(
      () => {
        if (seq < this.dreams[this.dream].seq) return;
        this.dreams.push({ seq, picture });
        const event = {
          dream: BigInt(this.dream),
          dreamSeq: BigInt(seq),
          url: `/dreams/${this.dream}.jpg`,
        };
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
      limits: { dabsPerCall: 5, undoSeconds: 60 },
    });
  }

  async paint(link: Link, { dabs, stroke, call }: PaintRequest) {
    const contents = dabs.map(({ pos, size, color }) => ({
      dab: { x: pos?.x ?? 0, y: pos?.y ?? 0, size, color },
    }));
    return create(PaintResponseSchema, await this.append(link, call, stroke, contents, false));
  }

  async undo(link: Link, { stroke, call }: UndoRequest) {
    const author = link.session?.author;
    const drawn = this.operations.filter(
      (each) => each.author === author && each.stroke === stroke,
    );
    if (drawn.length === 0)
      throw new RpcError("TOO_LATE", "there is no such stroke", "stroke", undefined);
    const side = 6;
    const rgba = Uint8ClampedArray.from({ length: side * side * 4 }, () => this.dice.whole(0, 255));
    const at = () => this.dice.whole(-3, SIDE);
    const patch = { x: at(), y: at(), width: side, height: side, rgba };
    const { seq } = await this.append(link, call, 0, [{ patch }], true);
    return create(UndoResponseSchema, { seq });
  }

  private append(
    link: Link,
    call: number,
    stroke: number,
    contents: readonly Stored["content"][],
    told: boolean,
  ): Promise<{ seq: bigint; duplicate: boolean }> {
    const { session } = link;
    if (!session) throw new Error("a call before subscribe");
    return new Promise((resolve, reject) => {
      const duplicate = () => resolve({ seq: BigInt(session.lastSeq), duplicate: true });
      if (call <= session.lastCall) return duplicate();
      if (this.dice.chance(this.refusing))
        return reject(new RpcError("RATE_LIMITED", "wait", "", 30));
      // Being made durable takes a while; the connection may be gone by then.
      link.commit(() => {
        if (call <= session.lastCall) return duplicate();
        const { author } = session;
        const made = contents.map((content, i) => ({
          seq: this.seq + 1 + i,
          author,
          stroke,
          content,
        }));
        this.operations.push(...made);
        session.lastCall = call;
        session.lastSeq = this.seq;
        for (const other of this.links) if (told || other !== link) other.operations(made);
        resolve({ seq: BigInt(this.seq), duplicate: false });
      });
    });
  }

  private replay(link: Link, since: number): void {
    const missed = this.operations.slice(since);
    for (let i = 0; i < missed.length; ) {
      const count = this.dice.whole(1, 6);
      link.send(missed.slice(i, i + count));
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
          const reply =
            method.name === "undo"
              ? this.server.undo(this, request as unknown as UndoRequest)
              : this.server.paint(this, request as unknown as PaintRequest);
          reply.then(
            (message) => answer(() => resolve(message as unknown as MessageShape<O>)),
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
    this.send(made.filter(({ seq }) => seq >= this.from));
  }

  /** Sends operations as events, in their order. */
  send(operations: readonly Stored[]): void {
    let dabs: Stored[] = [];
    const flush = () => {
      if (dabs.length > 0) this.event("paints", paints(dabs));
      dabs = [];
    };
    for (const operation of operations) {
      if ("dab" in operation.content) {
        dabs.push(operation);
      } else {
        flush();
        this.event("patch", patchEvent(operation, operation.content.patch));
      }
    }
    flush();
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

  async patch([width, height, ...rgba]: Uint8Array): Promise<Rgba> {
    return { width, height, rgba: Uint8ClampedArray.from(rgba) };
  }

  private async way(): Promise<void> {
    const fails = this.dice.chance(0.1);
    await new Promise((resolve) => setTimeout(resolve, this.dice.whole(1, 200)));
    if (fails) throw new Error("the picture did not come");
  }
}

function paints(operations: readonly Stored[]): Uint8Array {
  const events = operations.flatMap(({ seq, author, stroke, content }) => {
    if (!("dab" in content)) return [];
    const { x, y, size, color } = content.dab;
    return [{ seq: BigInt(seq), author, stroke, pos: { x, y }, size, color }];
  });
  return toBinary(PaintsEventSchema, create(PaintsEventSchema, { paints: events }));
}

function patchEvent({ seq, author }: Stored, { x, y, width, height, rgba }: Patch): Uint8Array {
  const event = {
    seq: BigInt(seq),
    author,
    offset: { x, y },
    image: Uint8Array.from([width, height, ...rgba]),
  };
  return toBinary(PatchEventSchema, create(PatchEventSchema, event));
}
