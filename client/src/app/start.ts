/** Puts the page together: every part is made here and told of the others. */

import { element } from "../browser/element";
import { at } from "../browser/server_path";
import { Connection } from "../connection/connection";
import { Brushwork } from "../ink/brushwork";
import { KeyPen } from "../ink/keyboard_pen";
import { type Hand, Pointers } from "../ink/pointers";
import { Replica } from "../replica/replica";
import { applyTheme, loadPreferences } from "../storage/preferences";
import { TabSession } from "../storage/session";
import { Story } from "../story/story";
import { HttpPictures } from "../sync/pictures";
import { Sync } from "../sync/sync";
import { Throttle } from "../sync/throttle";
import { Actions } from "../ui/actions";
import { Ring } from "../ui/brush_ring";
import { loadSettings } from "../ui/brush_settings";
import { Countdown } from "../ui/countdown";
import { Cursors } from "../ui/cursors";
import { Minimap } from "../ui/minimap";
import { SettingsDialog } from "../ui/settings_dialog";
import { pngOf } from "../ui/share";
import { listenToKeys } from "../ui/shortcuts";
import { StatusLine } from "../ui/status";
import { type Mode, refusalWords } from "../ui/status_words";
import { Toolbar } from "../ui/toolbar";
import { Camera } from "../view/camera";
import { Screen } from "../view/screen";
import { type Point, toCanvas } from "../view/view";
import { words } from "../words/language";

const CANVAS = { width: 1536, height: 1536 };
/** So many device pixels for the whole canvas, and half its size is as sharp. */
const HALF_PIXELS = 800;

export interface App {
  readonly replica: Replica;
  readonly camera: Camera;
}

export function start(): App {
  const root = document.documentElement;
  const stage = element("stage", HTMLElement);
  const preferences = loadPreferences();
  let frame = 0;
  let wordsChanged = true;
  let mode: Mode = "draw";
  let settled = false;

  const schedule = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const changed = () => {
    wordsChanged = true;
    // A hidden page draws no frames, but the tests and assistive software may ask for the state.
    if (document.hidden) tell();
    else schedule();
  };

  const screen = new Screen(
    element("canvas", HTMLCanvasElement),
    element("veil", HTMLCanvasElement),
    schedule,
  );
  const replica = new Replica(CANVAS.width, CANVAS.height, screen);
  screen.show(replica);
  const ring = new Ring(() => camera.view.scale);
  const toolbar = new Toolbar(loadSettings(), (adjusting) => ring.resize(toolbar.settings.size, adjusting));
  const camera: Camera = new Camera(stage, CANVAS, (resized) => {
    if (resized) screen.resize(stage.clientWidth, stage.clientHeight);
    toolbar.zoomed(camera.view.scale);
    ring.resize(toolbar.settings.size, false);
    cursors.replace();
    story.mark();
    sync.resized();
    schedule();
  });
  const minimap = new Minimap(screen, camera, CANVAS);
  const cursors: Cursors = new Cursors(() => camera.view);

  const connection: Connection = new Connection(
    () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${at("/rpc")}`),
    {
      opened: () => sync.opened(),
      closed: (code) => {
        sync.closed(code);
        cursors.clear();
      },
      event: (name, payload) => sync.event(name, payload),
    },
  );
  const session = new TabSession(() => {
    sync.ink.disown();
    connection.drop();
  });
  const pictures = new HttpPictures(CANVAS.width, CANVAS.height);
  const sync: Sync = new Sync(
    replica,
    connection,
    pictures,
    session.secret,
    {
      changed,
      refused: ({ code, message }, kept) => line.say(refusalWords(code, kept, message)),
      pointed: (cursor) => cursors.move(cursor),
    },
    () => camera.view.scale * CANVAS.width * devicePixelRatio <= HALF_PIXELS,
  );
  const now = () => sync.clock.at(Date.now());
  const line = new StatusLine(now);
  const countdown = new Countdown(now);
  const story: Story = new Story({
    caller: connection,
    canvas: CANVAS.width,
    newestDream: () => replica.dream,
    now,
    view: () => camera.view,
    closed: () => choose("draw"),
  });

  const brushwork = new Brushwork(sync, toolbar.settings, () => camera.view, changed);
  const pointing = new Throttle(() => sync.limits?.cursorsPerSecond || 10);
  const point = (at: Point, down: boolean) => {
    const { x, y } = toCanvas(camera.view, at);
    const on = { x: Math.round(x), y: Math.round(y), down, color: toolbar.settings.color };
    pointing.run(() => sync.point({ ...on, name: preferences.name }));
  };

  /** What the next tap on the canvas does. */
  function choose(next: Mode): void {
    mode = next;
    root.dataset.mode = next;
    actions.show(next);
    if (next !== "story") story.close();
    changed();
  }
  const toggle = (wanted: Mode) => choose(mode === wanted ? "draw" : wanted);

  function tap(at: Point): void {
    const { x, y } = toCanvas(camera.view, at);
    if (mode === "story") {
      void story.tell(x, y);
    } else {
      const color = replica.shown.at(Math.floor(x), Math.floor(y));
      if (color) toolbar.mix((color[0] << 16) | (color[1] << 8) | color[2]);
      choose("draw");
    }
  }

  function undo(): void {
    if (brushwork.drawing) return;
    if (sync.ink.canUndo) sync.ink.undo();
    else line.say(words.toast.nothingToUndo);
  }

  function lookBack(on: boolean): void {
    if (on && !screen.hasBefore) line.say(words.toast.nothingBefore);
    screen.lookBack(on && screen.hasBefore);
    root.dataset.back = String(on && screen.hasBefore);
  }

  const actions: Actions = new Actions({
    undo,
    pick: () => toggle("pick"),
    story: () => toggle("story"),
    before: lookBack,
    address: () => camera.address,
    picture: async () => {
      const whole = sync.coarse
        ? await fetch(at("/canvas.png")).then((response) => response.blob())
        : undefined;
      return whole ?? pngOf(replica.shown);
    },
    name: () => `dreamcanvas-${replica.dream}-${replica.seq}.png`,
    say: (text) => line.say(text),
  });
  const dialog = new SettingsDialog(preferences, ({ cursors: on }) => {
    sync.setCursors(on);
    if (!on) cursors.clear();
  });
  applyTheme(preferences.theme);
  sync.setCursors(preferences.cursors);

  const hand: Hand = {
    taps: () => mode !== "draw",
    tap(at) {
      keyPen.stop();
      tap(at);
    },
    beginStroke(at, tentative) {
      keyPen.stop();
      if (!brushwork.begin(at, tentative)) return false;
      root.dataset.drawn = "true";
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      return true;
    },
    moveStroke: (samples) => brushwork.move(samples),
    keepStroke: () => brushwork.keep(),
    endStroke: () => brushwork.end(),
    cancelStroke: () => brushwork.cancel(),
    pan: (dx, dy) => camera.pan(dx, dy),
    pinch: (from, to) => camera.pinch(from, to),
    zoom: (at, factor) => camera.zoom(factor, at),
    hover: (at) => ring.move(mode === "draw" ? at : undefined, toolbar.settings.size),
    point,
  };
  const pointers = new Pointers(stage, hand);
  const bare = (at: Point) => ({ ...at, pressure: undefined, speed: undefined });
  const keyPen = new KeyPen({
    middle: () => ({ x: camera.stage.width / 2, y: camera.stage.height / 2 }),
    within: ({ x, y }) => ({
      x: Math.min(camera.stage.width, Math.max(0, x)),
      y: Math.min(camera.stage.height, Math.max(0, y)),
    }),
    show: (at) => ring.move(at, toolbar.settings.size),
    begin: (at) => brushwork.begin(bare(at), false),
    move: (at) => brushwork.move([bare(at)]),
    end: () => brushwork.end(),
  });

  listenToKeys({
    panning(on) {
      pointers.panning = on;
      if (on && stage.dataset.hand === undefined) stage.dataset.hand = "ready";
      else if (!on && stage.dataset.hand === "ready") delete stage.dataset.hand;
    },
    zoom: (factor) => camera.zoom(factor),
    fit: () => camera.fit(),
    pan: (dx, dy) => (keyPen.active ? keyPen.step(-Math.sign(dx), -Math.sign(dy)) : camera.pan(dx, dy)),
    size: (direction) => toolbar.step(direction),
    color: (index) => toolbar.chooseNumber(index),
    palette: () => line.say(words.toast.palette(toolbar.changePalette())),
    undo,
    pick: () => toggle("pick"),
    story: () => toggle("story"),
    help: () => dialog.open(),
    escape: () => {
      if (!keyPen.stop()) choose("draw");
    },
    before: lookBack,
    pen() {
      if (!keyPen.active) line.say(words.toast.keyboardPen);
      keyPen.toggle();
    },
  });

  /** Not before it is known whose session it is: a page hears `pageshow` when it is first shown, too. */
  function wake(): void {
    if (settled) connection.wake();
  }

  /** A tab may be discarded without a word while it is hidden, and crash at any time. */
  function remember(): void {
    session.save(sync.ink.kept);
  }

  addEventListener("online", wake);
  addEventListener("offline", () => connection.drop());
  addEventListener("pageshow", wake);
  document.addEventListener("visibilitychange", () => {
    sync.setVisible(!document.hidden);
    if (document.hidden) remember();
    else wake();
  });
  addEventListener("pagehide", remember);

  function draw(time: number): void {
    frame = 0;
    sync.ink.flush();
    screen.draw(camera.view);
    minimap.draw(time);
    if (wordsChanged) tell();
  }

  /** Says how things stand: in words, and to tests as attributes. */
  function tell(): void {
    wordsChanged = false;
    const { phase, status, hasPicture, readOnly, restarting } = sync;
    const { outbox, canUndo } = sync.ink;
    const { dabs: waiting, full } = outbox;
    line.show({ phase, status, hasPicture, waiting, full, restarting, mode }, sync.dreamt?.time);
    countdown.show(phase === "live" ? status : undefined);
    actions.enable({ undo: canUndo, before: screen.hasBefore });
    Object.assign(root.dataset, {
      connection: connection.state,
      phase,
      seq: replica.seq,
      dream: replica.dream,
      waiting: outbox.dabs,
      users: status?.users ?? 0,
      readonly: readOnly,
    });
  }

  // What was drawn can be taken back for a while, and how long ago a dream was changes by itself.
  setInterval(() => {
    actions.enable({ undo: sync.ink.canUndo, before: screen.hasBefore });
    line.tick();
    remember();
  }, 1000);

  sync.setVisible(!document.hidden);
  camera.start();
  void session.settle().then((ink) => {
    sync.ink.restore(ink);
    remember();
    settled = true;
    connection.start();
  });
  return { replica, camera };
}
