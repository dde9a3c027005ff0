/**
 * A connection to the server that is made again by itself when it is lost.
 *
 * One websocket at a time; calls become promises; events go to the listener. A socket that has been
 * silent is asked for a sign of life and closed when none comes: after a laptop's sleep or a change
 * of network the browser itself notices nothing for minutes.
 *
 * `connecting` → `open` when the socket opens; → `offline` when it closes, stays silent, or does
 * not open in time. From `offline` the next attempt is made after a pause, or at once when the page
 * or the network comes back (`wake`).
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { DreamPainter } from "../gen/dreamcanvas_pb";
import { delay, RECONNECT } from "./backoff";
import { decodeMessage, encodeRequest, type RpcError } from "./wsrpc";

export type State = "connecting" | "open" | "offline";

/** The connection went away before the answer came: whether the call was applied is not known. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export interface ConnectionListener {
  opened(): void;
  /**
   * The connection was lost, or an attempt to connect failed. `code` is the websocket's close code,
   * 0 where it was given up.
   */
  closed(code: number): void;
  event(name: string, payload: Uint8Array): void;
}

/** What a connection needs of a WebSocket. */
export type Socket = Pick<
  WebSocket,
  "binaryType" | "onopen" | "onmessage" | "onclose" | "send" | "close"
>;

/** What a caller needs of a connection; a test may put something else there. */
export interface Caller {
  call<I extends DescMessage, O extends DescMessage>(
    method: { readonly name: string; readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>;
}

interface Call {
  readonly resolve: (payload: Uint8Array) => void;
  readonly reject: (error: RpcError | ConnectionLost) => void;
}

const HANDSHAKE_MS = 5000;
const SILENCE_MS = 10_000;
const ANSWER_MS = 4000;
/** Calls are counted by a uint32 on the wire. */
const WRAP = 2 ** 32;

export class Connection implements Caller {
  private readonly open: () => Socket;
  private readonly listener: ConnectionListener;
  private readonly random: () => number;
  private socket: Socket | undefined;
  private ready = false;
  private attempt = 0;
  private seq = 0;
  /** Whether a message came since `listen` or `probe` began to wait for one. */
  private heard = false;
  private readonly calls = new Map<number, Call>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    open: () => Socket,
    listener: ConnectionListener,
    random: () => number = Math.random,
  ) {
    this.open = open;
    this.listener = listener;
    this.random = random;
  }

  get state(): State {
    if (this.ready) return "open";
    return this.attempt === 0 ? "connecting" : "offline";
  }

  start(): void {
    if (!this.socket) this.connect();
  }

  /** The network or the page came back: asks for a sign of life, or tries to connect, at once. */
  wake(): void {
    if (this.ready) {
      this.probe();
    } else if (!this.socket) {
      this.connect();
    }
  }

  /** Gives the present socket up, for example because the network is gone, and starts over. */
  drop(): void {
    if (this.socket) this.lose(this.socket);
  }

  /** Rejects with an RpcError that the server answered, or with ConnectionLost. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: { readonly name: string; readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const payload = toBinary(method.input, create(method.input, request));
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      if (!this.ready || !this.socket) {
        reject(new ConnectionLost("not connected"));
        return;
      }
      this.seq = (this.seq + 1) % WRAP;
      this.calls.set(this.seq, { resolve, reject });
      this.socket.send(encodeRequest(method.name, this.seq, payload));
    });
    return fromBinary(method.output, answer);
  }

  private connect(): void {
    clearTimeout(this.timer);
    const socket = this.open();
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.ready = true;
      this.listen();
      this.listener.opened();
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.socket && data instanceof ArrayBuffer)
        this.incoming(new Uint8Array(data));
    };
    socket.onclose = ({ code }) => this.lose(socket, code);
    this.timer = setTimeout(() => this.lose(socket), HANDSHAKE_MS);
  }

  private incoming(data: Uint8Array): void {
    this.heard = true;
    // Not when the socket opens: a server that accepts and closes at once would be called again
    // without growing pauses.
    this.attempt = 0;
    const message = decodeMessage(data);
    if (!message) return;
    if (message.kind === "event") {
      this.listener.event(message.name, message.payload);
      return;
    }
    const call = this.calls.get(message.seq);
    this.calls.delete(message.seq);
    if (message.kind === "result") call?.resolve(message.payload);
    else call?.reject(message.error);
  }

  /** Probes the connection when nothing was heard for a while, or an answer is awaited. */
  private listen(): void {
    clearTimeout(this.timer);
    this.heard = false;
    this.timer = setTimeout(() => {
      if (this.heard && this.calls.size === 0) this.listen();
      else this.probe();
    }, SILENCE_MS);
  }

  /**
   * Asks for a sign of life. Any message in time, even an error, shows that the server is there;
   * without one the socket is lost.
   */
  private probe(): void {
    const socket = this.socket;
    if (!socket) return;
    this.heard = false;
    this.call(DreamPainter.method.getInfo, {}).catch(() => {});
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.heard) this.listen();
      else this.lose(socket);
    }, ANSWER_MS);
  }

  private lose(socket: Socket, code = 0): void {
    if (socket !== this.socket) return;
    clearTimeout(this.timer);
    this.socket = undefined;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.ready = false;
    const lost = [...this.calls.values()];
    this.calls.clear();
    for (const call of lost) call.reject(new ConnectionLost("the connection was lost"));
    const pause = delay(RECONNECT, this.attempt, this.random);
    this.attempt += 1;
    this.timer = setTimeout(() => this.connect(), pause);
    this.listener.closed(code);
  }
}
