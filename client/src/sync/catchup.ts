/**
 * Brings the replica up to date: with what it has and the operations since, or afresh from the
 * newest dream, or from the server's whole picture. Tries again until that is done or the
 * connection is lost. Knows no DOM.
 */
import { dreamPath } from "../browser/server";
import { ConnectionLost } from "../connection/connection";
import { RpcError } from "../connection/wsrpc";
import type { SubscribeResponse } from "../gen/dreamcanvas_pb";
import { Pixels } from "../replica/pixels";
import type { Replica } from "../replica/replica";
import type { Dreams } from "./dreams";
import { isDab } from "./events";
import type { Call } from "./outbox";
import type { Pictures } from "./pictures";
import { RETRY_MOST_MS, RETRY_MS, sleep } from "./retry";

export interface CatchUpHost {
  /** The number of the connection. What was begun on an earlier one is dropped. */
  epoch(): number;
  connected(): boolean;
  /**
   * Asks for events, and the operations after `since`. Throws ConnectionLost where a later
   * connection took over.
   */
  subscribe(epoch: number, since?: number): Promise<SubscribeResponse>;
  /** One's own public number. */
  author(): number;
  /** The replica is up to date. */
  live(): void;
}

interface Awaited {
  next: number;
  readonly last: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class CatchUp {
  /** Whether a picture was ever loaded. */
  loaded = false;
  /** While the replica is brought up to date no dream is laid. */
  busy = false;
  /** A call whose answer was lost with the connection, although the server applied it. */
  private arrived: Call | undefined;

  private readonly replica: Replica;
  private readonly pictures: Pictures;
  private readonly dreams: Dreams;
  private readonly host: CatchUpHost;
  /** Whether the server has left operations out since this began. */
  private stale = false;
  private awaited: Awaited | undefined;

  constructor(replica: Replica, pictures: Pictures, dreams: Dreams, host: CatchUpHost) {
    this.replica = replica;
    this.pictures = pictures;
    this.dreams = dreams;
    this.host = host;
  }

  /** Fetches what came while the page was away. */
  resume(): Promise<void> {
    return this.run((epoch) => (this.loaded ? this.since(epoch) : this.load(epoch)));
  }

  /** Starts over from the server's picture. */
  reload(): Promise<void> {
    return this.run((epoch) => this.load(epoch));
  }

  /**
   * Keeps the call that `resume` gives, to be settled among the operations that are fetched. Does
   * nothing where one is kept already.
   */
  takeArrived(resume: () => Call | undefined): void {
    this.arrived ??= resume();
  }

  /** The server left operations out, since this page could not keep up. */
  outdated(): void {
    this.stale = true;
    this.giveUp(new Error("the server left operations out"));
    void this.reload();
  }

  /** The connection was lost. */
  lost(): void {
    this.busy = false;
    this.giveUp(new ConnectionLost("the connection was lost"));
  }

  /** Operations came: those that are awaited may be complete. */
  operationsCame(): void {
    const awaited = this.awaited;
    if (!awaited) return;
    while (awaited.next <= awaited.last && this.replica.waits(awaited.next)) awaited.next += 1;
    if (awaited.next <= awaited.last) return;
    this.awaited = undefined;
    awaited.resolve();
  }

  private async run(first: (epoch: number) => Promise<void>): Promise<void> {
    // When the connection is back, `resume` is called.
    if (this.busy || !this.host.connected()) return;
    const epoch = this.host.epoch();
    this.busy = true;
    this.replica.hold();
    let step = first;
    for (let attempt = 0; ; attempt++) {
      try {
        await step(epoch);
        break;
      } catch (error) {
        if (epoch !== this.host.epoch() || error instanceof ConnectionLost) return;
        const pause = error instanceof RpcError ? error.retryAfter : undefined;
        await sleep(pause ?? Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** attempt));
        if (epoch !== this.host.epoch()) return;
        step = (at) => this.load(at);
      }
    }
    this.busy = false;
    this.host.live();
  }

  /** Fetches the operations after those that the replica has. */
  private async since(epoch: number): Promise<void> {
    this.stale = false;
    const since = this.replica.seq;
    const reply = await this.host.subscribe(epoch, since);
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
    const now = await this.host.subscribe(epoch);
    const dream = Number(now.dream);
    const seq = Number(now.dreamSeq);
    const [picture, reply] = await Promise.all([this.base(dream), this.host.subscribe(epoch, seq)]);
    if (epoch !== this.host.epoch()) throw new ConnectionLost("another connection took over");
    if (picture && !reply.resync) {
      await this.reset(picture.pixels, dream, seq, Number(reply.seq));
      this.dreams.based(picture.half);
      return;
    }
    // The operations since the dream are no longer kept, or its picture is not there: the whole
    // picture then.
    this.replica.forget();
    const whole = await this.pictures.canvas();
    const last = await this.host.subscribe(epoch, whole.seq);
    if (last.resync)
      throw new Error(`the server keeps no operations after its own picture's, ${whole.seq}`);
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

  /** Resolves when the operations from `next` to `last` have come. */
  private through(next: number, last: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.stale) throw new Error("the server left operations out");
      this.awaited = { next, last, resolve, reject };
      this.operationsCame();
    });
  }

  private giveUp(error: Error): void {
    this.awaited?.reject(error);
    this.awaited = undefined;
  }

  /**
   * Settles the call that was under way when the connection was lost: it is the last of one's own
   * among the operations up to `last`, or in the base already.
   */
  private settleArrived(last: number): void {
    const call = this.arrived;
    this.arrived = undefined;
    if (!call || call.undoes) return;
    const author = this.host.author();
    const own = this.replica.unclaimed(author, last).slice(-call.dabs.length);
    const found =
      own.length === call.dabs.length &&
      call.dabs.every((dab, i) => isDab(own[i], call.stroke, dab));
    if (found) this.replica.settle(call, author, own[own.length - 1].seq);
    else this.replica.discard(call);
  }
}
