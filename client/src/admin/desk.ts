/**
 * What operators see and do when they are signed in: who painted where, bans, restorations, the
 * canvas' settings.
 */
import { element } from "../browser/dom";
import { CANVAS_SIDE } from "../browser/server";
import { cleanLine } from "../text/visible";
import type { AdminClient, Region, State } from "./api";
import type { Attempts } from "./attempts";
import { field, readRegion, writeRegion } from "./forms";
import { showBans, showLog, showPainters, ticked } from "./lists";
import { Picture } from "./picture";
import { words } from "./words";

const LOG_LENGTH = 20;
const LINE_LENGTH = 200;
const WHOLE: Region = { x: 0, y: 0, width: CANVAS_SIDE, height: CANVAS_SIDE };

export class Desk {
  private readonly client: () => AdminClient;
  private readonly attempts: Attempts;
  private readonly painters = element("painters", HTMLElement);
  private readonly act = element("act", HTMLFormElement);
  private readonly region = element("region", HTMLFormElement);
  private readonly restoring = element("restore", HTMLFormElement);
  private readonly announcing = element("announce", HTMLFormElement);
  private readonly picture: Picture;

  /** `client` is asked before each call; it throws where nobody is signed in. */
  constructor(client: () => AdminClient, attempts: Attempts) {
    this.client = client;
    this.attempts = attempts;
    this.picture = new Picture(
      element("picture", HTMLElement),
      element("canvas", HTMLImageElement),
      element("selection", HTMLElement),
      (chosen) => {
        writeRegion(this.region, chosen);
        void attempts.run(() => this.look());
      },
    );
    this.listen();
  }

  /** Shows the state, and fetches what else is shown. */
  async open(state: State): Promise<void> {
    this.show(state);
    this.refreshPicture();
    await this.refreshLists();
  }

  refreshPicture(): void {
    this.picture.refresh();
  }

  private listen(): void {
    const { attempts } = this;
    attempts.onSubmit(this.act, () => this.ban());
    attempts.onSubmit(this.restoring, () => this.restore());
    attempts.onSubmit(this.announcing, () => this.announce());
    attempts.onSubmit(this.region, () => {
      this.picture.choose(readRegion(this.region));
      return this.look();
    });
    attempts.onClick("take-back", () => this.takeBack());
    attempts.onClick("read-only", () => this.toggle("readOnly", "read-only"));
    attempts.onClick("rest", () => this.toggle("rest", "rest"));
    attempts.onClick("next-style", () => this.change(() => this.client().call("nextStyle", {})));
    element("whole", HTMLButtonElement).addEventListener("click", () => {
      this.picture.choose(WHOLE);
      writeRegion(this.region, WHOLE);
    });
  }

  private show(state: State): void {
    element("state-words", HTMLElement).textContent = words.stands(state.users, state.style);
    element("read-only", HTMLButtonElement).setAttribute("aria-pressed", String(state.readOnly));
    element("rest", HTMLButtonElement).setAttribute("aria-pressed", String(state.resting));
    element("next-style", HTMLButtonElement).disabled = !state.style;
    const line = field(this.announcing, "text");
    if (document.activeElement !== line) line.value = state.announcement;
  }

  private async refreshLists(): Promise<void> {
    const [{ bans = [] }, { acts = [] }] = await Promise.all([
      this.client().call("bans", {}),
      this.client().call("acts", { limit: LOG_LENGTH }),
    ]);
    showBans(
      element("bans", HTMLElement),
      bans,
      (ban) => void this.attempts.run(() => this.unban(ban)),
    );
    element("no-bans", HTMLElement).hidden = bans.length > 0;
    element("no-log", HTMLElement).hidden = acts.length > 0;
    showLog(element("log", HTMLElement), acts);
  }

  /** Lists who painted in the chosen region. */
  private async look(): Promise<undefined> {
    const { painted = [] } = await this.client().call("who", this.picture.region);
    showPainters(this.painters, painted);
    const nobody = element("nobody", HTMLElement);
    nobody.textContent = words.nobody;
    nobody.hidden = painted.length > 0;
    this.act.hidden = painted.length === 0;
  }

  private async ban(): Promise<string> {
    const chosen = ticked(this.painters);
    const reason = field(this.act, "reason");
    if (chosen.length === 0) return words.choose;
    const told = cleanLine(reason.value, LINE_LENGTH);
    if (!told) {
      reason.focus();
      return words.needsReason;
    }
    const seconds = Number(new FormData(this.act).get("seconds"));
    const addresses = field(this.act, "addresses").checked;
    for (const { author, address } of chosen) {
      const whom = !addresses
        ? { author, authorOnly: true }
        : address
          ? { author, address }
          : { author };
      await this.client().call("ban", { ...whom, seconds, reason: told });
    }
    await this.look();
    await this.refreshLists();
    return words.bannedNow(chosen.length);
  }

  private async unban(number: number): Promise<string> {
    await this.client().call("unban", { ban: number });
    await this.refreshLists();
    return words.ended;
  }

  /** Takes back what the ticked authors drew. */
  private async takeBack(): Promise<string> {
    const authors = ticked(this.painters).map(({ author }) => author);
    if (authors.length === 0) return words.choose;
    const { dabs } = await this.client().call("restore", { authors });
    this.refreshPicture();
    await this.refreshLists();
    return words.restored(dabs);
  }

  /** Puts the chosen region back to how it was at a time. */
  private async restore(): Promise<string> {
    const time = new Date(field(this.restoring, "time").value).getTime();
    await this.client().call("restore", { region: this.picture.region, time });
    this.refreshPicture();
    await this.refreshLists();
    return words.restored(0);
  }

  private async announce(): Promise<string | undefined> {
    const line = field(this.announcing, "text");
    const text = cleanLine(line.value, LINE_LENGTH);
    if (line.value.trim() && !text) {
      line.focus();
      return words.needsLine;
    }
    return this.change(() => this.client().call("announce", { text }));
  }

  private toggle(method: "readOnly" | "rest", id: string): Promise<undefined> {
    const on = element(id, HTMLButtonElement).getAttribute("aria-pressed") !== "true";
    return this.change(() => this.client().call(method, { on }));
  }

  private async change(work: () => Promise<State>): Promise<undefined> {
    this.show(await work());
    await this.refreshLists();
  }
}
