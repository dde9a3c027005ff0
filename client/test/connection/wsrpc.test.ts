import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { decodeMessage, encodeRequest, RpcError } from "../../src/connection/wsrpc";
import { ErrorSchema } from "../../src/gen/wsrpc_pb";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");

describe("a request", () => {
  test("has its type, method, number and payload, literally", () => {
    expect(hex(encodeRequest("paint", 5, bytes("1001")))).toBe(
      hex(bytes("0801 120d 0a05 7061696e74 1005 1a02 1001")),
    );
  });

  test("has its number even where that is 0", () => {
    expect(hex(encodeRequest("a", 0, new Uint8Array()))).toBe(
      hex(bytes("0801 1207 0a01 61 1000 1a00")),
    );
  });
});

describe("an incoming message", () => {
  test("is a result", () => {
    expect(decodeMessage(bytes("0802 1a08 0807 1001 1a02 0809"))).toEqual({
      kind: "result",
      seq: 7,
      payload: bytes("0809"),
    });
  });

  test("is an event, with or without a payload", () => {
    expect(decodeMessage(bytes("0803 2203 0a01 78"))).toEqual({
      kind: "event",
      name: "x",
      payload: new Uint8Array(),
    });
  });

  test("is a failure with all that the server says of it", () => {
    const error = { code: -32001, name: "RATE_LIMITED", field: "dabs[3].size", retryAfterMs: 250 };
    const payload = toBinary(ErrorSchema, create(ErrorSchema, error));
    const text = Buffer.from("RATE_LIMITED: too fast: wait");
    const response = Buffer.concat([
      bytes("0803 1000 1a"),
      Buffer.from([payload.length]),
      payload,
      bytes("22"),
      Buffer.from([text.length]),
      text,
    ]);
    const message = Buffer.concat([bytes("0802 1a"), Buffer.from([response.length]), response]);
    const decoded = decodeMessage(new Uint8Array(message));
    expect(decoded?.kind).toBe("failure");
    const failure = (decoded as { error: RpcError }).error;
    expect(failure).toBeInstanceOf(RpcError);
    expect([failure.code, failure.message, failure.field, failure.retryAfter]).toEqual([
      "RATE_LIMITED",
      "too fast: wait",
      "dabs[3].size",
      250,
    ]);
  });

  test("is passed over where it is nothing that a server sends", () => {
    for (const odd of ["", "ff", "0801 1206 0a01 61 1000", "0802", "0803", "0802 2203 0a01 78"]) {
      expect(decodeMessage(bytes(odd))).toBeUndefined();
    }
  });
});
