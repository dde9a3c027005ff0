import { toScreen } from "../view/view";
import { translate } from "../words/language";
import { words } from "../words/words";
import { start } from "./start";

translate(document, words);
const { replica, camera } = start();

/** What tests and the curious may ask the page. */
const debug = {
  /** Red, green and blue of the canvas pixel that is shown at a place. */
  pixel: (x: number, y: number) => replica.shown.at(x, y),
  replicaHash: () => replica.shown.hash(),
  /** Where on the page a place of the canvas is, in CSS pixels. */
  toScreen: (x: number, y: number) => toScreen(camera.view, { x, y }),
};

declare global {
  interface Window {
    dreamcanvas: typeof debug;
  }
}

window.dreamcanvas = debug;
