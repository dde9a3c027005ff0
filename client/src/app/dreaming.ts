/**
 * What is seen of earlier dreams: the story of a place, and the picture before the newest dream.
 */
import type { Toast } from "../browser/toast";
import { Story } from "../story/story";
import type { Point } from "../view/view";
import { words } from "../words/words";
import type { Connecting } from "./connecting";
import type { Looking } from "./looking";

export class Dreaming {
  private readonly looking: Looking;
  private readonly toast: Toast;
  private readonly story: Story;

  /** `closed` is called when the visitor has closed the story. */
  constructor(looking: Looking, connecting: Connecting, toast: Toast, closed: () => void) {
    this.looking = looking;
    this.toast = toast;
    this.story = new Story({
      caller: connecting.connection,
      canvas: looking.replica.shown.width,
      newestDream: () => looking.replica.dream,
      now: () => connecting.now(),
      view: () => looking.view,
      closed,
    });
  }

  /** Tells the story of the place at a point of the stage. */
  tellStory(at: Point): void {
    const { x, y } = this.looking.toCanvas(at);
    void this.story.tell(x, y);
  }

  closeStory(): void {
    this.story.close();
  }

  viewChanged(): void {
    this.story.viewChanged();
  }

  /** Shows the picture before the newest dream for as long as `on` is true. */
  lookBack(on: boolean): void {
    const { screen } = this.looking;
    if (on && !screen.hasBefore) this.toast.say(words.toast.nothingBefore);
    const back = on && screen.hasBefore;
    screen.lookBack(back);
    document.documentElement.dataset.back = String(back);
  }
}
