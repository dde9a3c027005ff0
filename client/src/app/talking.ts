/**
 * What the page says about how things stand: in words to visitors, as attributes of the root to
 * style sheets and tests.
 */
import type { Toast } from "../browser/toast";
import type { Actions } from "../ui/actions";
import { Countdown } from "../ui/countdown";
import type { ModeSwitch } from "../ui/mode";
import { StatusLine } from "../ui/status";
import type { Connecting } from "./connecting";
import type { Looking } from "./looking";

/**
 * What was drawn can be taken back for a while only, and how long ago a dream was changes by
 * itself.
 */
const TICK_MS = 1000;

export interface TalkingParts {
  readonly looking: Looking;
  readonly connecting: Connecting;
  readonly mode: ModeSwitch;
  readonly actions: Actions;
  readonly toast: Toast;
  /** Asks for a frame, in which `refresh` is called. */
  redraw(): void;
}

export class Talking {
  private readonly parts: TalkingParts;
  private readonly line: StatusLine;
  private readonly countdown: Countdown;
  /** Whether what is said may no longer be true. */
  private stale = true;

  constructor(parts: TalkingParts) {
    const now = () => parts.connecting.now();
    this.parts = parts;
    this.line = new StatusLine(now, parts.toast);
    this.countdown = new Countdown(now);
    setInterval(() => {
      this.enableActions();
      this.line.tick();
    }, TICK_MS);
  }

  /** Something that is said may have changed. */
  changed(): void {
    this.stale = true;
    // A hidden page draws no frames, but tests and assistive software may ask how things stand.
    if (document.hidden) this.tell();
    else this.parts.redraw();
  }

  /** Says anew what has changed. */
  refresh(): void {
    if (this.stale) this.tell();
  }

  private tell(): void {
    const { connecting, looking, mode } = this.parts;
    const { phase, status, hasPicture, readOnly, restarting, dreamt, ink } = connecting.sync;
    const { dabs: waiting, full } = ink.outbox;
    this.stale = false;
    this.line.show(
      { phase, status, hasPicture, waiting, full, restarting, mode: mode.current },
      dreamt?.time,
    );
    this.countdown.show(phase === "live" ? status : undefined);
    this.enableActions();
    Object.assign(document.documentElement.dataset, {
      connection: connecting.connection.state,
      phase,
      seq: looking.replica.seq,
      dream: looking.replica.dream,
      waiting,
      users: status?.users ?? 0,
      readonly: readOnly,
    });
  }

  private enableActions(): void {
    const { connecting, looking, actions } = this.parts;
    actions.enable({ undo: connecting.sync.ink.canUndo, before: looking.screen.hasBefore });
  }
}
