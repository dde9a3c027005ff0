/** Puts the drawing page together: a part for each subject, and what one tells the others. */
import { Toast } from "../browser/toast";
import type { Replica } from "../replica/replica";
import { applyTheme, loadPreferences } from "../storage/preferences";
import { Actions } from "../ui/actions";
import { ModeSwitch } from "../ui/mode";
import { SettingsDialog } from "../ui/settings_dialog";
import { type KeyCommands, listenToKeys } from "../ui/shortcuts";
import { refusalWords } from "../ui/status_words";
import type { Camera } from "../view/camera";
import { words } from "../words/words";
import { Connecting } from "./connecting";
import { Drawing } from "./drawing";
import { Dreaming } from "./dreaming";
import { FrameLoop } from "./frame_loop";
import { Looking } from "./looking";
import { Talking } from "./talking";

const TOAST_MS = 4000;

export interface App {
  readonly replica: Replica;
  readonly camera: Camera;
}

/** Starts the page. Nothing calls back before all parts are made. */
export function start(): App {
  const preferences = loadPreferences();
  const toast = new Toast(TOAST_MS);
  const frames = new FrameLoop((time) => {
    connecting.sync.ink.flush();
    looking.draw(time);
    talking.refresh();
  });
  const redraw = () => frames.request();
  const changed = () => talking.changed();
  const looking = new Looking({
    redraw,
    viewChanged: () => {
      for (const part of [drawing, connecting, dreaming]) part.viewChanged();
    },
  });
  const mode = new ModeSwitch((chosen) => {
    actions.show(chosen);
    if (chosen !== "story") dreaming.closeStory();
    talking.changed();
  });
  const connecting = new Connecting(looking, preferences, {
    changed,
    refused: ({ code, message }, kept) => toast.say(refusalWords(code, kept, message)),
  });
  const dreaming = new Dreaming(looking, connecting, toast, () => mode.choose("draw"));
  const drawing = new Drawing({ looking, connecting, dreaming, mode, toast, changed });
  const actions = makeActions(looking, connecting, dreaming, drawing, mode, toast);
  const talking = new Talking({ looking, connecting, mode, actions, toast, redraw });
  const dialog = new SettingsDialog(preferences, (chosen) => connecting.applyPreferences(chosen));
  applyTheme(preferences.theme);
  listenToKeys(keyCommands(looking, dreaming, drawing, mode, dialog, toast));
  looking.camera.start();
  void connecting.start();
  return { replica: looking.replica, camera: looking.camera };
}

function makeActions(
  { camera, replica }: Looking,
  connecting: Connecting,
  dreaming: Dreaming,
  drawing: Drawing,
  mode: ModeSwitch,
  toast: Toast,
): Actions {
  return new Actions({
    undo: () => drawing.undo(),
    pick: () => mode.toggle("pick"),
    story: () => mode.toggle("story"),
    before: (on) => dreaming.lookBack(on),
    address: () => camera.address,
    picture: () => connecting.picture(),
    name: () => `dreamcanvas-${replica.dream}-${replica.seq}.png`,
    say: (text) => toast.say(text),
  });
}

function keyCommands(
  { camera }: Looking,
  dreaming: Dreaming,
  drawing: Drawing,
  mode: ModeSwitch,
  dialog: SettingsDialog,
  toast: Toast,
): KeyCommands {
  const { toolbar, pen } = drawing;
  return {
    panning: (on) => drawing.setPanning(on),
    zoom: (factor) => camera.zoom(factor),
    fit: () => camera.fit(),
    pan: (dx, dy) => drawing.moveByKeys(dx, dy),
    size: (direction) => toolbar.step(direction),
    color: (index) => toolbar.chooseNumber(index),
    palette: () => toast.say(words.toast.palette(toolbar.changePalette())),
    undo: () => drawing.undo(),
    pick: () => mode.toggle("pick"),
    story: () => mode.toggle("story"),
    help: () => dialog.open(),
    escape: () => {
      if (!pen.stop()) mode.choose("draw");
    },
    before: (on) => dreaming.lookBack(on),
    pen: () => drawing.togglePen(),
  };
}
