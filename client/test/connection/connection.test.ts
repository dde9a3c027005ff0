import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { delay, RECONNECT } from "../../src/connection/backoff";
import { Connection, ConnectionLost, type Socket } from "../../src/connection/connection";
import { DreamPainter } from "../../src/gen/dreamcanvas_pb";
import { Message_Type, MessageSchema } from "../../src/gen/wsrpc_pb";

/** The other end of a socket. */
class Peer {
  readonly socket: Socket;
  readonly requests: { method: string; seq: number }[] = [];
  closed = false;

  constructor() {
    this.socket = {
      binaryType: "blob",
      onopen: null,
      onmessage: null,
      onclose: null,
      close: () => {
        this.closed = true;
      },
      send: (data) => {
        const { request } = fromBinary(MessageSchema, data as Uint8Array);
        if (request) this.requests.push({ method: request.method, seq: request.seq });
      },
    };
  }

  private get handlers() {
    return this.socket as unknown as {
      onopen?: () => void;
      onmessage?: (event: { data: ArrayBuffer }) => void;
      onclose?: (event: CloseEvent) => void;
    };
  }

  accept(): void {
    this.handlers.onopen?.();
  }

  refuse(): void {
    this.handlers.onclose?.({ code: 1006 } as CloseEvent);
  }

  answer(seq: number, payload = new Uint8Array()): void {
    this.say({ type: Message_Type.RESPONSE, response: { seq, ok: true, payload } });
  }

  emit(name: string): void {
    this.say({ type: Message_Type.EVENT, event: { name } });
  }

  private say(message: Parameters<typeof create<typeof MessageSchema>>[1]): void {
    const data = toBinary(MessageSchema, create(MessageSchema, message));
    this.handlers.onmessage?.({ data: data.buffer });
  }
}

let peers: Peer[];
let log: string[];
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  peers = [];
  log = [];
  const open = () => {
    peers.push(new Peer());
    return peers[peers.length - 1].socket;
  };
  const listener = {
    opened: () => log.push("opened"),
    closed: () => log.push("closed"),
    event: (name: string) => log.push(name),
  };
  connection = new Connection(open, listener, () => 1);
  connection.start();
});

afterEach(() => {
  vi.useRealTimers();
});

const info = () => connection.call(DreamPainter.method.getInfo, {});

describe("a connection", () => {
  test("gives each answer to the call of its number", async () => {
    peers[0].accept();
    const calls = [info(), info()];
    const [a, b] = peers[0].requests;
    peers[0].answer(b.seq, Uint8Array.of(0x0a, 1, 0x62));
    peers[0].answer(a.seq, Uint8Array.of(0x0a, 1, 0x61));
    expect((await Promise.all(calls)).map(({ version }) => version)).toEqual(["a", "b"]);
  });

  test("hands events on", () => {
    peers[0].accept();
    peers[0].emit("status");
    expect(log).toEqual(["opened", "status"]);
  });

  test("tells callers that the answer will not come", async () => {
    await expect(info()).rejects.toBeInstanceOf(ConnectionLost);
    peers[0].accept();
    const call = expect(info()).rejects.toBeInstanceOf(ConnectionLost);
    peers[0].refuse();
    await call;
    expect(log).toEqual(["opened", "closed"]);
  });

  test("comes back by itself, with longer pauses, never longer than the bound", () => {
    peers[0].accept();
    peers[0].emit("status");
    for (const pause of [250, 500, 1000, 2000, 3000, 3000]) {
      const before = peers.length;
      peers[before - 1].refuse();
      expect(connection.state).toBe("offline");
      vi.advanceTimersByTime(pause - 1);
      expect(peers).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(peers).toHaveLength(before + 1);
    }
    peers[peers.length - 1].accept();
    expect(connection.state).toBe("open");
  });

  test("gives up a handshake that takes too long", () => {
    vi.advanceTimersByTime(5000);
    expect(peers[0].closed).toBe(true);
    vi.advanceTimersByTime(250);
    expect(peers).toHaveLength(2);
  });

  test("asks for a sign of life after a silence, and leaves a socket that gives none", () => {
    peers[0].accept();
    vi.advanceTimersByTime(10_000);
    expect(peers[0].requests.map(({ method }) => method)).toEqual(["getInfo"]);
    peers[0].answer(peers[0].requests[0].seq);
    vi.advanceTimersByTime(4000);
    expect(connection.state).toBe("open");
    vi.advanceTimersByTime(10_000);
    expect(peers[0].requests).toHaveLength(2);
    vi.advanceTimersByTime(4000);
    expect(connection.state).toBe("offline");
    expect(peers[0].closed).toBe(true);
  });

  test("makes sure at once when the page wakes", () => {
    peers[0].accept();
    connection.wake();
    expect(peers[0].requests).toHaveLength(1);
    vi.advanceTimersByTime(4000);
    expect(connection.state).toBe("offline");
    connection.wake();
    expect(peers).toHaveLength(2);
    vi.advanceTimersByTime(250);
    expect(peers).toHaveLength(2);
  });

  test("hears nothing from a socket that it has left", () => {
    peers[0].accept();
    connection.drop();
    peers[0].emit("status");
    expect(log).toEqual(["opened", "closed"]);
  });
});

test("pauses are jittered between half and all of the delay", () => {
  expect(delay(RECONNECT, 0, () => 0)).toBe(125);
  expect(delay(RECONNECT, 0, () => 1)).toBe(250);
  expect(delay(RECONNECT, 99, () => 1)).toBe(3000);
});
