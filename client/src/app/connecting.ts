/**
 * What goes to the server and comes from it: the canvas, one's own ink, and where everyone points.
 */
import { serverPath } from "../browser/server";
import { Connection } from "../connection/connection";
import type { RpcError } from "../connection/wsrpc";
import type { Preferences } from "../storage/preferences";
import { TabSession } from "../storage/session";
import { HttpPictures } from "../sync/pictures";
import { type Pointed, Sync } from "../sync/sync";
import { Throttle } from "../sync/throttle";
import { Cursors } from "../ui/cursors";
import { pngOf } from "../ui/share";
import type { Looking } from "./looking";

/** How many own pointer places are sent a second where the server does not say. */
const POINTS_PER_SECOND = 10;
/** How often the session is saved: a tab may crash at any time. */
const SAVE_MS = 1000;

export interface ConnectingHost {
  /** Something that the page says in words may have changed. */
  changed(): void;
  /** The server refused own ink; `kept` where it is sent again. */
  refused(error: RpcError, kept: boolean): void;
}

export class Connecting {
  readonly connection: Connection;
  readonly sync: Sync;
  private readonly looking: Looking;
  private preferences: Preferences;
  private readonly session: TabSession;
  private readonly cursors: Cursors;
  private readonly pointing = new Throttle(
    () => this.sync.limits?.cursorsPerSecond || POINTS_PER_SECOND,
  );
  /** Whether it is known that the session is this page's alone. */
  private settled = false;

  constructor(looking: Looking, preferences: Preferences, host: ConnectingHost) {
    this.looking = looking;
    this.preferences = preferences;
    this.cursors = new Cursors(() => looking.view);
    this.connection = new Connection(openSocket, {
      opened: () => this.sync.opened(),
      closed: (code) => {
        this.sync.closed(code);
        this.cursors.clear();
      },
      event: (name, payload) => this.sync.event(name, payload),
    });
    this.session = new TabSession(() => {
      this.sync.ink.disown();
      this.connection.drop();
    });
    const { width, height } = looking.replica.shown;
    this.sync = new Sync(
      looking.replica,
      this.connection,
      new HttpPictures(width, height),
      this.session.secret,
      {
        changed: () => host.changed(),
        refused: (error, kept) => host.refused(error, kept),
        pointed: (cursor) => this.cursors.move(cursor),
      },
      () => looking.halfIsEnough,
    );
    this.applyPreferences(preferences);
  }

  /** The server's time, ms since 1970. */
  now(): number {
    return this.sync.clock.at(Date.now());
  }

  /** Connects, as soon as it is certain that no other page has the session. */
  async start(): Promise<void> {
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.connection.drop());
    addEventListener("pageshow", () => this.wake());
    addEventListener("pagehide", () => this.save());
    document.addEventListener("visibilitychange", () => {
      this.sync.setVisible(!document.hidden);
      // A hidden tab may be discarded without notice.
      if (document.hidden) this.save();
      else this.wake();
    });
    setInterval(() => this.save(), SAVE_MS);
    this.sync.setVisible(!document.hidden);
    this.sync.ink.restore(await this.session.settle());
    this.save();
    this.settled = true;
    this.connection.start();
  }

  viewChanged(): void {
    this.cursors.viewChanged();
    this.sync.resized();
  }

  /** Shows others' pointers, and sends one's own place and name, as the visitor prefers. */
  applyPreferences(preferences: Preferences): void {
    const { cursors } = preferences;
    this.preferences = preferences;
    this.sync.setCursors(cursors);
    if (!cursors) this.cursors.clear();
  }

  /** Tells the others where one's own pointer is; `at` is a place of the canvas. */
  point({ x, y, ...rest }: Omit<Pointed, "name">): void {
    const pointed = { ...rest, x: Math.round(x), y: Math.round(y) };
    this.pointing.run(() => this.sync.point({ ...pointed, name: this.preferences.name }));
  }

  /** The picture as a PNG file: the server's, where the page has it with half the detail only. */
  async picture(): Promise<Blob> {
    if (!this.sync.coarse) return pngOf(this.looking.replica.shown);
    const response = await fetch(serverPath("/canvas.png"));
    return response.blob();
  }

  private wake(): void {
    // A page hears `pageshow` when it is first shown, too: before its session is settled.
    if (this.settled) this.connection.wake();
  }

  private save(): void {
    this.session.save(this.sync.ink.kept);
  }
}

function openSocket(): WebSocket {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${location.host}${serverPath("/rpc")}`);
}
