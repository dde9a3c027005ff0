/**
 * Keeps the replica in step with the server: subscribes, catches up after a loss of the connection, sends own ink and
 * settles it, fetches dreams. Knows no DOM; the connection and the source of pictures are given to it.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { type Caller, type ConnectionListener, ConnectionLost } from "../connection/connection";
import { RpcError } from "../connection/wsrpc";
import {
  CanvasEventSchema,
  type CursorEvent,
  CursorEventSchema,
  DreamPainter,
  type Limits,
  type StatusEvent,
  StatusEventSchema,
  type SubscribeResponse,
} from "../gen/dreamcanvas_pb";
import { Pixels } from "../replica/pixels";
import type { Operation, Replica } from "../replica/replica";
import { Dreams, dreamPath } from "./dreams";
import { isDab, readPaints, readPatch } from "./events";
import type { Call } from "./outbox";
import { OwnInk } from "./own";
import type { Pictures } from "./pictures";
import { RETRY_MOST_MS, RETRY_MS, sleep } from "./retry";
import { ServerClock } from "./server_clock";

/** `loading`: connected, but the picture is not all there yet. */
export type Phase = "connecting" | "loading" | "live" | "offline";

export interface SyncListener {
  /** Something that is told in words may have changed. */
  changed(): void;
  /** The server refused own ink; `kept` where it is sent again. */
  refused(error: RpcError, kept: boolean): void;
  /** Somebody else points somewhere. */
  pointed(cursor: CursorEvent): void;
}

interface Awaited {
  next: number;
  readonly last: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const EVENTS = ["paint", "patch", "canvas", "status"];

/** Where one's own pointer is, in canvas pixels. */
export interface Pointed {
  readonly x: number;
  readonly y: number;
  readonly down: boolean;
  readonly color: number;
  readonly name: string;
}
/** The close code of a server that goes, as one does that is started again. */
const GOING_AWAY = 1001;
/** An operation that is missing for so long will not come by itself. */
const GAP_MS = 3000;

export class Sync implements ConnectionListener {
  phase: Phase = "connecting";
  status: StatusEvent | undefined;
  limits: Limits | undefined;
  /** The server said that it goes, and has not been seen since. */
  restarting = false;
  readonly ink: OwnInk;
  readonly clock = new ServerClock();
  /** The newest dream that was told of, and when it was made, ms since 1970 by the server's clock. */
  dreamt: { readonly style: string; readonly time: number } | undefined;

  private readonly replica: Replica;
  private readonly caller: Caller;
  private readonly pictures: Pictures;
  private readonly session: Uint8Array;
  private readonly listener: SyncListener;
  private readonly dreams: Dreams;

  private cursors = true;
  private author = 0;
  /** Counts connections; what was begun on an earlier one has no say any more. */
  private epoch = 0;
  private welcomed = false;
  private loaded = false;
  /** While the replica is brought up to date no dream is laid. */
  private busy = false;
  /** The server left operations out while the replica was brought up to date. */
  private stale = false;
  /** A call that was under way when the connection was lost, and was applied. */
  private arrived: Call | undefined;
  private awaited: Awaited | undefined;
  private gapTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    replica: Replica,
    caller: Caller,
    pictures: Pictures,
    session: Uint8Array,
    listener: SyncListener,
    halfWillDo: () => boolean = () => false,
  ) {
    this.replica = replica;
    this.caller = caller;
    this.pictures = pictures;
    this.session = session;
    this.listener = listener;
    this.ink = new OwnInk(replica, caller, {
      welcomed: () => this.welcomed,
      readOnly: () => this.readOnly,
      author: () => this.author,
      answered: () => {
        this.watchGap();
        listener.changed();
      },
      refused: (error, kept) => listener.refused(error, kept),
    });
    this.dreams = new Dreams(replica, pictures, {
      mayLay: () => this.loaded && !this.busy,
      halfWillDo,
      reload: () => this.reload(),
      laid: () => listener.changed(),
    });
  }

  /** Whether the picture has less detail than the server's. */
  get coarse(): boolean {
    return this.dreams.coarse;
  }

  /** The canvas is shown in another size: a finer picture may be needed. */
  resized(): void {
    this.dreams.pursue();
  }

  get readOnly(): boolean {
    return this.status?.readOnly ?? false;
  }

  /** Whether the picture has ever been there. */
  get hasPicture(): boolean {
    return this.loaded;
  }

  /** Tells the others where one's own pointer is; nobody minds when that is lost. */
  point({ x, y, down, color, name }: Pointed): void {
    if (!this.cursors || this.phase !== "live" || (this.status?.users ?? 0) < 2) return;
    const cursor = { pos: { x, y }, down, color, name };
    this.caller.call(DreamPainter.method.cursor, cursor).catch(() => {});
  }

  /** Whether one sees where others point, and is seen oneself. */
  setCursors(on: boolean): void {
    if (on === this.cursors) return;
    this.cursors = on;
    if (this.welcomed) void this.subscribe(this.epoch).catch(() => {});
  }

  /** Whether somebody looks at the page. A hidden page fetches no dreams. */
  setVisible(visible: boolean): void {
    this.dreams.setVisible(visible);
  }

  // The connection

  opened(): void {
    this.epoch += 1;
    this.phase = "loading";
    this.listener.changed();
    void this.resume(this.epoch);
  }

  closed(code = 0): void {
    this.restarting = code === GOING_AWAY || (this.restarting && this.phase === "offline");
    this.epoch += 1;
    this.welcomed = false;
    this.busy = false;
    this.phase = "offline";
    this.ink.outbox.lost();
    this.awaited?.reject(new ConnectionLost("the connection was lost"));
    this.awaited = undefined;
    this.listener.changed();
  }

  event(name: string, payload: Uint8Array): void {
    switch (name) {
      case "paints":
        this.receive(readPaints(payload));
        break;
      case "patch":
        void readPatch(payload, this.pictures).then((patch) => this.receive([patch]));
        break;
      case "canvas": {
        const { dream, dreamSeq, url, resync, style, time } = fromBinary(CanvasEventSchema, payload);
        if (resync) {
          this.outdated();
        } else {
          this.clock.heard(Number(time), Date.now());
          this.dreamt = { style, time: Number(time) };
          this.dreams.offer({ dream: Number(dream), seq: Number(dreamSeq), url });
          this.listener.changed();
        }
        break;
      }
      case "cursor":
        if (this.cursors) this.listener.pointed(fromBinary(CursorEventSchema, payload));
        break;
      case "status":
        this.status = fromBinary(StatusEventSchema, payload);
        this.listener.changed();
        break;
    }
  }

  private receive(operations: readonly Operation[]): void {
    for (const each of operations) this.replica.receive(each);
    this.checkAwaited();
    this.watchGap();
    this.listener.changed();
  }

  // Getting up to date

  /** Brings the replica up to date, and tries again until that is done or the connection is lost. */
  private async resume(epoch: number, first?: () => Promise<void>): Promise<void> {
    // Offline there is nothing to be had; who comes back starts with this anyway.
    if (this.busy || this.phase === "offline") return;
    this.busy = true;
    this.replica.hold();
    let step = first ?? (() => (this.loaded ? this.catchUp(epoch) : this.load(epoch)));
    for (let attempt = 0; ; attempt++) {
      try {
        await step();
        break;
      } catch (error) {
        if (epoch !== this.epoch || error instanceof ConnectionLost) return;
        const pause = error instanceof RpcError ? error.retryAfter : undefined;
        await sleep(pause ?? Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** attempt));
        if (epoch !== this.epoch) return;
        step = () => this.load(epoch);
      }
    }
    this.busy = false;
    this.phase = "live";
    this.watchGap();
    this.listener.changed();
    this.ink.flush();
    this.dreams.pursue();
  }

  /** The server left operations out, since this page could not keep up. */
  private outdated(): void {
    this.stale = true;
    this.awaited?.reject(new Error("the server left operations out"));
    this.awaited = undefined;
    void this.reload();
  }

  /** Starts over from the server's picture. */
  private reload(): Promise<void> {
    return this.resume(this.epoch, () => this.load(this.epoch));
  }

  /** Fetches the operations that came while the page was away. */
  private async catchUp(epoch: number): Promise<void> {
    this.stale = false;
    const since = this.replica.seq;
    const reply = await this.subscribe(epoch, since);
    if (reply.resync) {
      await this.load(epoch);
      return;
    }
    await this.through(since + 1, Number(reply.seq));
    this.settleArrived(Number(reply.seq));
    this.replica.release();
  }

  /** Fetches the newest dream and the operations since. */
  private async load(epoch: number): Promise<void> {
    this.stale = false;
    const now = await this.subscribe(epoch);
    const dream = Number(now.dream);
    const seq = Number(now.dreamSeq);
    const [picture, reply] = await Promise.all([this.base(dream), this.subscribe(epoch, seq)]);
    if (epoch !== this.epoch) throw new ConnectionLost("another connection took over");
    if (picture && !reply.resync) {
      await this.reset(picture.pixels, dream, seq, Number(reply.seq));
      this.dreams.based(picture.half);
      return;
    }
    // The operations since the dream are no longer kept, or its picture is not there: the whole picture then.
    this.replica.forget();
    const whole = await this.pictures.canvas();
    const last = await this.subscribe(epoch, whole.seq);
    if (last.resync) throw new Error(`the server keeps no operations after its own picture's, ${whole.seq}`);
    await this.reset(whole.pixels, whole.dream, whole.seq, Number(last.seq));
    this.dreams.based(false);
  }

  private async base(dream: number): Promise<{ pixels: Pixels; half: boolean } | undefined> {
    const { width, height } = this.replica.shown;
    if (dream === 0) return { pixels: new Pixels(width, height), half: false };
    return this.dreams.picture(dreamPath(dream)).catch(() => undefined);
  }

  private async reset(picture: Pixels, dream: number, seq: number, last: number): Promise<void> {
    await this.through(seq + 1, last);
    this.settleArrived(last);
    this.replica.reset(picture, dream, seq);
    this.loaded = true;
  }

  private async subscribe(epoch: number, since?: number): Promise<SubscribeResponse> {
    const reply = await this.caller.call(DreamPainter.method.subscribe, {
      events: this.cursors ? [...EVENTS, "cursor"] : EVENTS,
      batch: true,
      session: this.session,
      ...(since === undefined ? {} : { since: BigInt(since) }),
    });
    if (epoch !== this.epoch) throw new ConnectionLost("another connection took over");
    this.author = reply.author;
    this.status = reply.status;
    const dream = Number(reply.dream);
    if (dream > 0) this.dreams.offer({ dream, seq: Number(reply.dreamSeq), url: dreamPath(dream) });
    if (!this.welcomed) {
      this.welcomed = true;
      this.limits = reply.limits;
      if (reply.limits) this.ink.bound(reply.limits);
      this.arrived ??= this.ink.outbox.resume(reply.lastCall);
    }
    this.listener.changed();
    this.ink.flush();
    return reply;
  }

  /** Resolves when the operations from `next` to `last` have come. */
  private through(next: number, last: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.stale) throw new Error("the server left operations out");
      this.awaited = { next, last, resolve, reject };
      this.checkAwaited();
    });
  }

  private checkAwaited(): void {
    const awaited = this.awaited;
    if (!awaited) return;
    while (awaited.next <= awaited.last && this.replica.waits(awaited.next)) awaited.next += 1;
    if (awaited.next <= awaited.last) return;
    this.awaited = undefined;
    awaited.resolve();
  }

  /**
   * Settles the call that was under way when the connection was lost: it is the last of one's own among the operations
   * up to `last`, or in the base already.
   */
  private settleArrived(last: number): void {
    const call = this.arrived;
    this.arrived = undefined;
    if (!call || call.undoes) return;
    const own = this.replica.unclaimed(this.author, last).slice(-call.dabs.length);
    const found =
      own.length === call.dabs.length && call.dabs.every((dab, i) => isDab(own[i], call.stroke, dab));
    if (found) this.replica.settle(call, this.author, own[own.length - 1].seq);
    else this.replica.discard(call);
  }

  /** Asks again for what is missing when it does not come by itself. */
  private watchGap(): void {
    if (!this.replica.gap || this.gapTimer !== undefined) return;
    this.gapTimer = setTimeout(() => {
      this.gapTimer = undefined;
      if (this.replica.gap && this.phase === "live") void this.resume(this.epoch);
    }, GAP_MS);
  }
}
