/** Puts the page together: every part is made here and told of the others. */
import { Connection } from "./connection/connection";
import { type Hand, type PointerSample, Pointers } from "./ink/pointers";
import { Stroke } from "./ink/stroke";
import { Replica } from "./replica/replica";
import { HttpPictures } from "./sync/pictures";
import { Sync } from "./sync/sync";
import { element } from "./ui/dom";
import { listenToKeys } from "./ui/keys";
import { Ring } from "./ui/ring";
import { loadSettings } from "./ui/settings";
import { StatusLine } from "./ui/status";
import { Toolbar } from "./ui/toolbar";
import { refusalWords } from "./ui/words";
import { Camera } from "./view/camera";
import { Screen } from "./view/screen";
import { toCanvas } from "./view/view";

const CANVAS = { width: 1536, height: 1536 };
const SESSION_BYTES = 16;

export interface App {
  readonly replica: Replica;
  readonly camera: Camera;
}

export function start(): App {
  const root = document.documentElement;
  const stage = element("stage", HTMLElement);
  let frame = 0;
  let wordsChanged = true;

  const schedule = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const changed = () => {
    wordsChanged = true;
    // A hidden page draws no frames, but the tests and assistive software may ask for the state.
    if (document.hidden) tell();
    else schedule();
  };

  const screen = new Screen(element("canvas", HTMLCanvasElement), schedule);
  const replica = new Replica(CANVAS.width, CANVAS.height, screen);
  screen.show(replica);
  const line = new StatusLine();
  const ring = new Ring(() => camera.view.scale);
  const toolbar = new Toolbar(loadSettings(), (adjusting) => ring.resize(toolbar.settings.size, adjusting));
  const camera = new Camera(stage, CANVAS, (resized) => {
    if (resized) screen.resize(stage.clientWidth, stage.clientHeight);
    toolbar.zoomed(camera.view.scale);
    ring.resize(toolbar.settings.size, false);
    schedule();
  });

  const connection: Connection = new Connection(
    () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/rpc`),
    {
      opened: () => sync.opened(),
      closed: () => sync.closed(),
      event: (name, payload) => sync.event(name, payload),
    },
  );
  // A session for each page that is opened: two tabs with one session would take each other's calls for repeats.
  const session = crypto.getRandomValues(new Uint8Array(SESSION_BYTES));
  const sync = new Sync(replica, connection, new HttpPictures(CANVAS.width, CANVAS.height), session, {
    changed,
    refused: ({ code }, kept) => line.say(refusalWords(code, kept)),
  });

  let stroke: Stroke | undefined;
  let strokes = 0;
  const ink = (dabs: Parameters<Sync["draw"]>[1]) => {
    if (stroke && dabs.length > 0) sync.draw(stroke.number, dabs);
    changed();
  };
  const sample = ({ x, y, pressure }: PointerSample) => ({ ...toCanvas(camera.view, { x, y }), pressure });
  const hand: Hand = {
    beginStroke(at, tentative) {
      if (sync.readOnly || sync.outbox.full) return false;
      const { size, color } = toolbar.settings;
      strokes += 1;
      stroke = new Stroke(strokes, size, color, sample(at));
      sync.outbox.held = tentative;
      root.dataset.drawn = "true";
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      ink(stroke.begin());
      return true;
    },
    moveStroke(samples) {
      for (const each of samples) ink(stroke?.move(sample(each)) ?? []);
    },
    keepStroke() {
      sync.outbox.held = false;
      schedule();
    },
    endStroke() {
      ink(stroke?.finish() ?? []);
      stroke = undefined;
    },
    cancelStroke() {
      sync.outbox.held = false;
      if (stroke) sync.cancel(stroke.number);
      stroke = undefined;
      changed();
    },
    pan: (dx, dy) => camera.pan(dx, dy),
    pinch: (from, to) => camera.pinch(from, to),
    zoom: (at, factor) => camera.zoom(factor, at),
    hover: (at) => ring.move(at, toolbar.settings.size),
  };
  const pointers = new Pointers(stage, hand);

  listenToKeys({
    panning(on) {
      pointers.panning = on;
      if (on && stage.dataset.hand === undefined) stage.dataset.hand = "ready";
      else if (!on && stage.dataset.hand === "ready") delete stage.dataset.hand;
    },
    zoom: (factor) => camera.zoom(factor),
    fit: () => camera.fit(),
    pan: (dx, dy) => camera.pan(dx, dy),
    size: (direction) => toolbar.step(direction),
    color: (index) => toolbar.chooseNumber(index),
  });

  addEventListener("online", () => connection.wake());
  addEventListener("offline", () => connection.drop());
  addEventListener("pageshow", () => connection.wake());
  document.addEventListener("visibilitychange", () => {
    sync.setVisible(!document.hidden);
    if (!document.hidden) connection.wake();
  });

  function draw(now: number): void {
    frame = 0;
    sync.flush();
    screen.draw(camera.view, now);
    if (wordsChanged) tell();
  }

  /** Says how things stand: in words, and to tests as attributes. */
  function tell(): void {
    wordsChanged = false;
    const { phase, status, hasPicture, outbox, readOnly } = sync;
    line.show({ phase, status, hasPicture, waiting: outbox.dabs, full: outbox.full });
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

  sync.setVisible(!document.hidden);
  camera.start();
  connection.start();
  return { replica, camera };
}
