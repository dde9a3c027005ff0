/**
 * The session of this tab: a secret by which the server knows the author. After a reload the page
 * is the same author, and can take back what was drawn before. Another tab is another author: with
 * one session for two, the server would take the calls of one for repeated calls of the other. A
 * browser that duplicates a tab copies what is kept for it, so a page first asks the other pages
 * whether one of them has its session.
 */
import { forget, keep, recall } from "./keep";
import { asRecord, parseRecord } from "./records";

/** A stroke that the server knows of. */
export interface KeptStroke {
  readonly number: number;
  /** When its last dab was drawn, ms since 1970 by the browser's clock. */
  readonly drawn: number;
}

/** What of one's own ink outlasts the page. */
export interface KeptInk {
  /** The number of the newest stroke: none may have it again. */
  readonly last: number;
  /** The strokes that can be taken back, the newest last. */
  readonly strokes: readonly KeptStroke[];
}

export interface Kept extends KeptInk {
  readonly secret: Uint8Array<ArrayBuffer>;
}

/**
 * Where pages of this browser hear of each other: a BroadcastChannel, or in a test what is like
 * one.
 */
export type Channel = Pick<BroadcastChannel, "postMessage" | "onmessage">;

type Message = {
  readonly kind: "whose" | "mine";
  readonly session: string;
  readonly asker: number;
};

const KEY = "dreamcanvas.session";
const BYTES = 16;
/** A page that lives answers within milliseconds; one that is busy has this long. */
const ANSWER_MS = 120;
const NOTHING: KeptInk = { last: 0, strokes: [] };

/** Reads what was kept. Returns undefined where there is no sound session in it. */
export function parseKept(text: string | null): Kept | undefined {
  const { secret, last, strokes } = parseRecord(text);
  if (typeof secret !== "string" || !/^[0-9a-f]{32}$/.test(secret)) return undefined;
  if (!isCount(last) || !Array.isArray(strokes)) return undefined;
  const bytes = new Uint8Array(BYTES);
  for (let i = 0; i < BYTES; i++) bytes[i] = Number.parseInt(secret.slice(2 * i, 2 * i + 2), 16);
  return { secret: bytes, last, strokes: strokes.filter(isStroke) };
}

export function formatKept({ secret, last, strokes }: Kept): string {
  return JSON.stringify({ secret: hex(secret), last, strokes });
}

export class TabSession {
  /** Filled with other random bytes, in place, when another page turns out to have the session. */
  readonly secret: Uint8Array<ArrayBuffer>;
  private readonly before: Kept | undefined;
  private readonly changed: () => void;
  private readonly channel: Channel | undefined;
  private readonly asker = Math.random();
  private settled = false;
  private taken = false;
  private kept = "";

  /** `changed` is called when the secret becomes another one after `settle`. */
  constructor(changed: () => void, channel: Channel | undefined = openChannel()) {
    this.changed = changed;
    this.before = parseKept(recall("sessionStorage", KEY));
    this.secret = this.before?.secret ?? fresh();
    this.channel = channel;
    if (channel) channel.onmessage = ({ data }: MessageEvent<Message>) => this.hear(data);
  }

  /** Makes sure that no other page has the session. Returns what is known of its ink. */
  async settle(): Promise<KeptInk> {
    if (this.before && this.channel) {
      this.channel.postMessage({
        kind: "whose",
        session: hex(this.secret),
        asker: this.asker,
      } satisfies Message);
      await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    }
    this.settled = true;
    if (this.taken) {
      forget("sessionStorage", KEY);
      crypto.getRandomValues(this.secret);
    }
    return this.before && !this.taken ? this.before : NOTHING;
  }

  /** Keeps the session, and what is known of its ink, for a reload. */
  save(ink: KeptInk): void {
    if (!this.settled) return;
    const text = formatKept({ ...ink, secret: this.secret });
    if (text === this.kept) return;
    this.kept = text;
    keep("sessionStorage", KEY, text);
  }

  private hear({ kind, session, asker }: Message): void {
    if (session !== hex(this.secret)) return;
    if (kind === "mine") {
      if (asker === this.asker) this.lose();
    } else if (this.settled || this.asker < asker) {
      this.channel?.postMessage({ kind: "mine", session, asker } satisfies Message);
    } else {
      // Two ask at the same time, as when a browser opens all its tabs again: one of them has it.
      this.lose();
    }
  }

  /**
   * Gives the session up: another page has it, and may have been too busy to say so before `settle`
   * ended.
   */
  private lose(): void {
    this.taken = true;
    if (!this.settled) return;
    crypto.getRandomValues(this.secret);
    this.changed();
  }
}

function openChannel(): Channel | undefined {
  try {
    return new BroadcastChannel(KEY);
  } catch {
    return undefined; // forbidden, as storage is
  }
}

/** Not `crypto.randomUUID`: it is missing on pages that came over plain HTTP. */
function fresh(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(BYTES));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

function isStroke(value: unknown): value is KeptStroke {
  const { number, drawn } = asRecord(value);
  return isCount(number) && typeof drawn === "number" && Number.isFinite(drawn);
}
