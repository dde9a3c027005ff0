/** Runs what the operator asks for, and says how it went in a sentence at the foot of the page. */
import { element } from "../browser/dom";
import { Refused, Unreached } from "./api";
import { words } from "./words";

/** Work that may fail; it gives the sentence to say when it is done. */
export type Work = () => Promise<string | undefined>;

export class Attempts {
  private readonly said = element("said", HTMLElement);
  private readonly signedOut: () => void;

  /** `signedOut` is called when the server does not take the token. */
  constructor(signedOut: () => void) {
    this.signedOut = signedOut;
  }

  /** Does the work and says how it went. */
  async run(work: Work): Promise<void> {
    const { dataset } = document.documentElement;
    dataset.busy = "true";
    this.say(words.working);
    try {
      this.say((await work()) ?? "");
    } catch (error) {
      if (error instanceof Refused) {
        this.say(error.message, true);
        if (error.code === "UNAUTHENTICATED") this.signedOut();
      } else if (error instanceof Unreached) this.say(words.unreached, true);
      else throw error;
    } finally {
      delete dataset.busy;
    }
  }

  say(sentence: string, wrong = false): void {
    this.said.textContent = sentence;
    this.said.dataset.wrong = String(wrong);
  }

  /** From now on, submitting the form does the work. */
  onSubmit(form: HTMLFormElement, work: Work): void {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.run(work);
    });
  }

  /** From now on, a click on the button of this id does the work. */
  onClick(id: string, work: Work): void {
    element(id, HTMLButtonElement).addEventListener("click", () => void this.run(work));
  }
}
