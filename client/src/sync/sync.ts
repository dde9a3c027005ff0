/**
 * Keeps the replica in step with the server: subscribes and hands events on to what catches up
 * after a loss of the connection (`CatchUp`), sends own ink (`OwnInk`) and fetches dreams
 * (`Dreams`). Knows no DOM; the connection and the source of pictures are given to it.
 *
 * `connecting` → `loading` when the connection opens; → `live` when the replica is up to date; →
 * `offline` when the connection is lost, and from there → `loading` again.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { dreamPath } from "../browser/server";
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
import type { Operation, Replica } from "../replica/replica";
import { CatchUp } from "./catchup";
import { Dreams } from "./dreams";
import { readPaints, readPatch } from "./events";
import { OwnInk } from "./own_ink";
import type { Pictures } from "./pictures";
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

/** Where one's own pointer is, in canvas pixels. */
export interface Pointed {
  readonly x: number;
  readonly y: number;
  readonly down: boolean;
  readonly color: number;
  readonly name: string;
}

const EVENTS = ["paint", "patch", "canvas", "status"];
/** The close code of a server that goes, as one does that is started again. */
const GOING_AWAY = 1001;
/** An operation that is missing for so long is asked for: it will not come by itself. */
const GAP_MS = 3000;

export class Sync implements ConnectionListener {
  phase: Phase = "connecting";
  status: StatusEvent | undefined;
  limits: Limits | undefined;
  /** Whether the server said that it goes away, and has not been reached since. */
  restarting = false;
  readonly ink: OwnInk;
  readonly clock = new ServerClock();
  /**
   * The newest dream that was told of, and when it was made, ms since 1970 by the server's clock.
   */
  dreamt: { readonly style: string; readonly time: number } | undefined;

  private readonly replica: Replica;
  private readonly caller: Caller;
  private readonly pictures: Pictures;
  private readonly session: Uint8Array;
  private readonly listener: SyncListener;
  private readonly dreams: Dreams;
  private readonly catchUp: CatchUp;

  private cursors = true;
  /** A name that the server did not take. */
  private refusedName: string | undefined;
  private author = 0;
  /** Counts connections. What was begun on an earlier one is dropped. */
  private epoch = 0;
  /** Whether the server has answered a subscription on this connection: it knows the session. */
  private welcomed = false;
  private gapTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    replica: Replica,
    caller: Caller,
    pictures: Pictures,
    session: Uint8Array,
    listener: SyncListener,
    halfIsEnough: () => boolean = () => false,
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
      mayLay: () => this.hasPicture && !this.catchUp.busy,
      halfIsEnough,
      reload: () => this.catchUp.reload(),
      laid: () => listener.changed(),
    });
    this.catchUp = new CatchUp(replica, pictures, this.dreams, {
      epoch: () => this.epoch,
      connected: () => this.phase !== "offline",
      subscribe: (epoch, since) => this.subscribe(epoch, since),
      author: () => this.author,
      live: () => this.live(),
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

  /** Whether a picture was ever loaded. */
  get hasPicture(): boolean {
    return this.catchUp.loaded;
  }

  /** Tells the others where one's own pointer is. It is not sent again where it is lost. */
  point({ x, y, down, color, name }: Pointed): void {
    if (!this.cursors || this.phase !== "live" || (this.status?.users ?? 0) < 2) return;
    const cursor = { pos: { x, y }, down, color, name: name === this.refusedName ? "" : name };
    this.caller.call(DreamPainter.method.cursor, cursor).catch((error: unknown) => {
      // The place is sent without the name from now on.
      if (error instanceof RpcError && error.field === "name") this.refusedName = name;
    });
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

  // What the connection tells (ConnectionListener)

  opened(): void {
    this.epoch += 1;
    this.phase = "loading";
    this.listener.changed();
    void this.catchUp.resume();
  }

  closed(code = 0): void {
    this.restarting = code === GOING_AWAY || (this.restarting && this.phase === "offline");
    this.epoch += 1;
    this.welcomed = false;
    this.phase = "offline";
    this.ink.outbox.lost();
    this.catchUp.lost();
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
        const { dream, dreamSeq, url, resync, style, time } = fromBinary(
          CanvasEventSchema,
          payload,
        );
        if (resync) {
          this.catchUp.outdated();
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
    this.catchUp.operationsCame();
    this.watchGap();
    this.listener.changed();
  }

  private live(): void {
    this.phase = "live";
    this.watchGap();
    this.listener.changed();
    this.ink.flush();
    this.dreams.pursue();
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
      this.catchUp.takeArrived(() => this.ink.outbox.resume(reply.lastCall));
    }
    this.listener.changed();
    this.ink.flush();
    return reply;
  }

  /** Asks again for what is missing when it does not come by itself. */
  private watchGap(): void {
    if (!this.replica.gap || this.gapTimer !== undefined) return;
    this.gapTimer = setTimeout(() => {
      this.gapTimer = undefined;
      if (this.replica.gap && this.phase === "live") void this.catchUp.resume();
    }, GAP_MS);
  }
}
