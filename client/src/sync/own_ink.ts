/**
 * One's own ink: shown at once, sent when the limits allow, confirmed by the server's numbers, and
 * taken back.
 */
import { type Caller, ConnectionLost } from "../connection/connection";
import { RpcError } from "../connection/wsrpc";
import { DreamPainter, type Limits } from "../gen/dreamcanvas_pb";
import type { Dab } from "../replica/brush";
import type { Replica } from "../replica/replica";
import type { KeptInk } from "../storage/session";
import { type Call, Outbox } from "./outbox";
import { RETRY_MS } from "./retry";
import { Strokes } from "./strokes";

export interface OwnHost {
  /** Whether the server knows the session on this connection: nothing is sent before. */
  welcomed(): boolean;
  readOnly(): boolean;
  /** One's public number. */
  author(): number;
  /** A call was answered. */
  answered(): void;
  /** The server refused a call; `kept` where it is sent again. */
  refused(error: RpcError, kept: boolean): void;
}

export class OwnInk {
  readonly outbox = new Outbox();
  private readonly strokes = new Strokes();
  private readonly replica: Replica;
  private readonly caller: Caller;
  private readonly host: OwnHost;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(replica: Replica, caller: Caller, host: OwnHost) {
    this.replica = replica;
    this.caller = caller;
    this.host = host;
  }

  /** Sets the server's limits. */
  bound({ dabsPerCall, dabsPerSecond, dabsBurst, undoSeconds }: Limits): void {
    this.strokes.limit(undoSeconds);
    this.outbox.bound({ dabsPerCall, dabsPerSecond, dabsBurst }, performance.now());
  }

  /** The number of a new stroke. */
  nextStroke(): number {
    return this.strokes.next();
  }

  /** What is known of the ink, for the page that comes after a reload. */
  get kept(): KeptInk {
    const ahead = Date.now() - performance.now();
    const strokes = this.strokes.kept(performance.now());
    return {
      last: this.strokes.latest,
      strokes: strokes.map(({ number, drawn }) => ({ number, drawn: Math.round(drawn + ahead) })),
    };
  }

  /** Takes over what the page knew before a reload. */
  restore({ last, strokes }: KeptInk): void {
    const ahead = Date.now() - performance.now();
    this.strokes.restore(
      strokes.map(({ number, drawn }) => ({ number, drawn: drawn - ahead })),
      last,
    );
  }

  /**
   * Forgets the strokes that the server knows: the session is another one now, and they are no
   * longer one's own.
   */
  disown(): void {
    for (const { number } of this.strokes.kept(performance.now())) this.strokes.forget(number);
  }

  /** Draws dabs of a stroke at once, as many as there is room for; `flush` sends them. */
  draw(stroke: number, dabs: readonly Dab[]): void {
    for (const { call, added } of this.outbox.add(stroke, dabs)) this.replica.draw(call, added);
    this.strokes.drawn(stroke, performance.now());
  }

  /** Takes a stroke back: at once what was not sent, and through the server what was. */
  takeBack(number: number): void {
    const sent = this.strokes.find(number)?.sent ?? false;
    for (const call of this.outbox.cancel(number)) this.replica.discard(call);
    this.strokes.forget(number);
    if (sent) this.outbox.undo(number);
    this.host.answered();
    this.flush();
  }

  /** Whether there is a stroke that can be taken back. */
  get canUndo(): boolean {
    return !this.host.readOnly() && this.strokes.last(performance.now()) !== undefined;
  }

  /** Takes the newest stroke back. */
  undo(): void {
    const stroke = this.strokes.last(performance.now());
    if (stroke && !this.host.readOnly()) this.takeBack(stroke.number);
  }

  /** Sends what waits and may be sent. */
  flush(): void {
    if (!this.host.welcomed()) return;
    while (true) {
      const next = this.outbox.next(performance.now());
      if (next === undefined) return;
      if (typeof next === "number") {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.flush(), next);
        return;
      }
      void this.send(next);
    }
  }

  private async send(call: Call): Promise<void> {
    this.strokes.sent(call.stroke);
    try {
      await (call.undoes ? this.sendUndo(call) : this.sendPaint(call));
    } catch (error) {
      if (error instanceof ConnectionLost) return;
      if (!(error instanceof RpcError)) throw error;
      this.refused(call, error);
    }
    this.host.answered();
    this.flush();
  }

  private async sendPaint(call: Call): Promise<void> {
    const { stroke, number } = call;
    const dabs = call.dabs.map(({ x, y, size, color }) => ({ pos: { x, y }, size, color }));
    const reply = await this.caller.call(DreamPainter.method.paint, { dabs, stroke, call: number });
    this.outbox.remove(call);
    // What was applied on an earlier connection comes as an event to this one.
    if (reply.duplicate) this.replica.discard(call);
    else this.replica.settle(call, this.host.author(), Number(reply.seq));
  }

  /** The patch that covers the stroke comes as an event. */
  private async sendUndo(call: Call): Promise<void> {
    await this.caller.call(DreamPainter.method.undo, { stroke: call.stroke, call: call.number });
    this.outbox.remove(call);
  }

  private refused(call: Call, error: RpcError): void {
    const kept =
      error.retryAfter !== undefined || ["RATE_LIMITED", "UNAVAILABLE"].includes(error.code);
    if (kept) {
      this.outbox.refused(performance.now(), error.retryAfter ?? RETRY_MS);
    } else {
      this.outbox.remove(call);
      this.replica.discard(call);
    }
    this.host.refused(error, kept);
  }
}
