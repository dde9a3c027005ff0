/** Says in words how things stand: who is here, what is dreamt, what is amiss (pure). */
import { StatusEvent_Dreamer as Dreamer, type StatusEvent } from "../gen/dreamcanvas_pb";
import type { Phase } from "../sync/sync";
import { styleWords } from "../words/site";
import { words } from "../words/words";
import type { Mode } from "./mode";

export interface Situation {
  readonly phase: Phase;
  readonly status: StatusEvent | undefined;
  /** Whether a picture was ever loaded. */
  readonly hasPicture: boolean;
  /** Own dabs that the server has not acknowledged. */
  readonly waiting: number;
  /** No more ink can be kept. */
  readonly full: boolean;
  /** The server said that it would be away for a moment. */
  readonly restarting: boolean;
  /** What a tap on the canvas does. */
  readonly mode: Mode;
}

export function peopleWords(status: StatusEvent | undefined): string {
  const users = status?.users ?? 0;
  if (users === 0) return "";
  return users === 1 ? words.status.alone : words.status.people(users);
}

export function dreamWords(status: StatusEvent | undefined): string {
  switch (status?.dreamer) {
    case Dreamer.STARTING:
      return words.status.waking;
    case Dreamer.WAITING:
      // No dream is due: the paper is white, and the first stroke brings the first one
      if (status.nextDream === 0n) return words.status.paper;
      return dreamingWords(status);
    case Dreamer.DREAMING:
      return dreamingWords(status);
    case Dreamer.RESTING:
      return words.status.resting;
    case Dreamer.FAILED:
      return words.status.unwell;
    case Dreamer.OFF:
      return words.status.off;
    default:
      return "";
  }
}

function dreamingWords({ style }: StatusEvent): string {
  return style ? words.status.dreamingOf(styleWords(style)) : words.status.dreaming;
}

/** Writes how long ago something was: `3 s ago`. */
export function agoWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return words.status.agoSeconds(seconds);
  const minutes = Math.round(seconds / 60);
  return minutes < 90
    ? words.status.agoMinutes(minutes)
    : words.status.agoHours(Math.round(minutes / 60));
}

/** Returns what stands beside the dot: who is here, or what is amiss, and what is dreamt. */
export function statusWords({ phase, status, hasPicture }: Situation): {
  here: string;
  dream: string;
} {
  if (phase === "offline") return { here: words.status.offline, dream: "" };
  if (phase === "connecting") return { here: words.status.connecting, dream: "" };
  if (!hasPicture) return { here: words.status.fetching, dream: "" };
  return { here: peopleWords(status), dream: dreamWords(status) };
}

export interface Notice {
  readonly text: string;
  readonly tone: "calm" | "warning";
}

/** Returns the sentence across the top; undefined where there is nothing to say. */
export function noticeWords(situation: Situation): Notice | undefined {
  const { phase, status, hasPicture, waiting, full, restarting, mode } = situation;
  const { notice } = words;
  if (phase === "offline") {
    if (!hasPicture) return { text: notice.unreachable, tone: "warning" };
    if (full) return { text: notice.lostFull, tone: "warning" };
    if (waiting > 0) return { text: notice.lostKept(waiting), tone: "warning" };
    return { text: restarting ? notice.restarting : notice.lost, tone: "warning" };
  }
  if (mode !== "draw") return { text: notice[mode], tone: "calm" };
  const line = status?.announcement ?? "";
  if (status?.readOnly) return { text: `${notice.readOnly} ${line}`.trim(), tone: "calm" };
  if (full) return { text: notice.full, tone: "calm" };
  if (line) return { text: line, tone: "calm" };
  return undefined;
}

/**
 * Says why own ink was refused. `sentence` is the server's: it says until when and why somebody is
 * banned.
 */
export function refusalWords(code: string, kept: boolean, sentence = ""): string {
  const { toast } = words;
  const [, until, reason] = /banned until (.+? UTC): (.+)$/.exec(sentence) ?? [];
  if (code === "FORBIDDEN" && until && reason) return toast.banned(until, reason);
  switch (code) {
    case "RATE_LIMITED":
      return toast.rateLimited;
    case "UNAVAILABLE":
      return toast.unavailable;
    case "FORBIDDEN":
      return toast.forbidden;
    case "TOO_LATE":
      return toast.tooLate;
    default:
      return kept ? toast.refusedKept : toast.refused;
  }
}

/** Names an author who gave no name: an animal, always the same for an author. */
export function animalWords(author: number): string {
  const animals = words.animals.split(" ");
  return animals[scattered(author) % animals.length];
}

/**
 * Returns the colour of an author's pointer: a hue in degrees, far from those of the authors with
 * the numbers before and after.
 */
export function hueOf(author: number): number {
  return scattered(author) % 360;
}

/** Knuth's multiplicative hash: neighbouring numbers far apart. */
function scattered(author: number): number {
  return Math.imul(author, 2654435761) >>> 8;
}
