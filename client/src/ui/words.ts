/** What the page says about the state of affairs (pure). */
import { StatusEvent_Dreamer as Dreamer, type StatusEvent } from "../gen/dreamcanvas_pb";
import type { Phase } from "../sync/sync";

export interface Affairs {
  readonly phase: Phase;
  readonly status: StatusEvent | undefined;
  /** Whether the picture has ever been there. */
  readonly hasPicture: boolean;
  /** Own dabs that the server has not acknowledged. */
  readonly waiting: number;
  /** No more ink can be kept. */
  readonly full: boolean;
}

export function peopleWords(status: StatusEvent | undefined): string {
  const users = status?.users ?? 0;
  if (users === 0) return "";
  return users === 1 ? "Just you here" : `${users.toLocaleString("en")} here`;
}

export function dreamWords(status: StatusEvent | undefined): string {
  switch (status?.dreamer) {
    case Dreamer.STARTING:
      return "the dreamer is waking up";
    case Dreamer.WAITING:
    case Dreamer.DREAMING:
      return status.style ? `dreaming of ${status.style}` : "dreaming";
    case Dreamer.RESTING:
      return "it dreams again when someone draws";
    case Dreamer.FAILED:
      return "the dreamer is unwell; drawing goes on";
    case Dreamer.OFF:
      return "not dreaming";
    default:
      return "";
  }
}

/** What stands beside the dot: who is here, or what is amiss, and what is dreamt. */
export function statusWords({ phase, status, hasPicture }: Affairs): { here: string; dream: string } {
  if (phase === "offline") return { here: "Offline", dream: "" };
  if (phase === "connecting") return { here: "Connecting…", dream: "" };
  if (!hasPicture) return { here: "Fetching the picture…", dream: "" };
  return { here: peopleWords(status), dream: dreamWords(status) };
}

export interface Notice {
  readonly text: string;
  readonly tone: "calm" | "warning";
}

/** What stands across the top for as long as it is so; undefined where there is nothing to say. */
export function noticeWords({ phase, status, hasPicture, waiting, full }: Affairs): Notice | undefined {
  if (phase === "offline") {
    if (!hasPicture) return { text: "The server can’t be reached. Trying again…", tone: "warning" };
    if (full) return { text: "Connection lost. No more ink can be kept until it is back.", tone: "warning" };
    const kept = waiting > 0 ? ` (${waiting.toLocaleString("en")} dabs)` : "";
    return { text: `Connection lost. Reconnecting… what you draw is kept${kept}.`, tone: "warning" };
  }
  if (status?.readOnly)
    return { text: "The canvas is read-only for now. You can watch it dream.", tone: "calm" };
  if (full) return { text: "That was a lot of ink. One moment, it is being sent.", tone: "calm" };
  return undefined;
}

/** Why own ink was refused. */
export function refusalWords(code: string, kept: boolean): string {
  switch (code) {
    case "RATE_LIMITED":
      return "You draw faster than the server allows. Your ink follows in a moment.";
    case "UNAVAILABLE":
      return "The server can’t take ink right now. Yours is kept and sent again.";
    case "FORBIDDEN":
      return "You may not draw here now. The last ink was taken back.";
    default:
      return kept
        ? "The server could not take your ink. It is sent again."
        : "The server refused your last ink. It was taken back.";
  }
}
