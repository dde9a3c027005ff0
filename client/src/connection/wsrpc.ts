/** The wsrpc framing of binary messages (pure). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ErrorSchema, Message_Type, MessageSchema } from "../gen/wsrpc_pb";

/** Why a call failed: what the server answered. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** The code's name, for example `RATE_LIMITED`. */
  readonly code: string;
  readonly field: string;
  /**
   * After how many milliseconds the same call may succeed; undefined where waiting does not help.
   */
  readonly retryAfter: number | undefined;

  constructor(code: string, sentence: string, field = "", retryAfter?: number) {
    super(sentence);
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

export type Incoming =
  | { readonly kind: "result"; readonly seq: number; readonly payload: Uint8Array }
  | { readonly kind: "failure"; readonly seq: number; readonly error: RpcError }
  | { readonly kind: "event"; readonly name: string; readonly payload: Uint8Array };

const NOTHING = new Uint8Array();

export function encodeRequest(
  method: string,
  seq: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return toBinary(
    MessageSchema,
    create(MessageSchema, { type: Message_Type.REQUEST, request: { method, seq, payload } }),
  );
}

/** Reads a message of the server. Returns undefined where it is not one that a server sends. */
export function decodeMessage(data: Uint8Array): Incoming | undefined {
  try {
    const { type, response, event } = fromBinary(MessageSchema, data);
    if (type === Message_Type.EVENT && event) {
      return { kind: "event", name: event.name, payload: event.payload ?? NOTHING };
    }
    if (type === Message_Type.RESPONSE && response) {
      const { seq, ok, payload, error } = response;
      if (ok) return { kind: "result", seq, payload: payload ?? NOTHING };
      return { kind: "failure", seq, error: decodeError(error ?? "", payload ?? NOTHING) };
    }
  } catch {
    // An undecodable message is passed over, as the server does with ours.
  }
  return undefined;
}

function decodeError(text: string, payload: Uint8Array): RpcError {
  const [name, ...sentence] = text.split(": ");
  const error = fromBinary(ErrorSchema, payload);
  const retryAfter = error.retryAfterMs === 0 ? undefined : error.retryAfterMs;
  return new RpcError(error.name || name, sentence.join(": ") || text, error.field, retryAfter);
}
