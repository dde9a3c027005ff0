/** The host's page, put together. The token stays in this tab. */

import { element } from "../browser/element";
import { forget, keep, recall } from "../storage/keep";
import { cleanLine } from "../text/visible";
import { translate } from "../words/language";
import { Host, Refused, type Region, type State, Unreached } from "./api";
import { showBans, showLog, showPainters, ticked } from "./lists";
import { Picture, SIDE } from "./picture";
import { words } from "./words";

const REFRESH_MS = 5000;
const LOG_LENGTH = 20;
const LINE_LENGTH = 200;
const KEY = "dreamcanvas-admin-token";

translate(document, words);

const root = document.documentElement;
const said = element("said", HTMLElement);
const painters = element("painters", HTMLElement);
const signIn = element("sign-in", HTMLFormElement);
const act = element("act", HTMLFormElement);
const region = element("region", HTMLFormElement);
const picture = new Picture(
  element("picture", HTMLElement),
  element("canvas", HTMLImageElement),
  element("selection", HTMLElement),
  (chosen) => {
    fill(chosen);
    void attempt(look);
  },
);
let host: Host | undefined;

/** Does something that may fail, and says how it went. */
async function attempt(work: () => Promise<string | undefined>): Promise<void> {
  root.dataset.busy = "true";
  say(words.working);
  try {
    say((await work()) ?? "");
  } catch (error) {
    if (error instanceof Refused) {
      say(error.message, true);
      if (error.code === "UNAUTHENTICATED") leave();
    } else if (error instanceof Unreached) say(words.unreached, true);
    else throw error;
  } finally {
    delete root.dataset.busy;
  }
}

function say(sentence: string, wrong = false): void {
  said.textContent = sentence;
  said.dataset.wrong = String(wrong);
}

function asked(): Host {
  if (!host) throw new Error("nobody is signed in");
  return host;
}

async function enter(token: string): Promise<undefined> {
  host = new Host(token);
  showState(await host.call("state", {}));
  keep("sessionStorage", KEY, token);
  signIn.hidden = true;
  element("desk", HTMLElement).hidden = false;
  element("sign-out", HTMLButtonElement).hidden = false;
  root.dataset.phase = "live";
  picture.refresh();
  await lists();
}

function leave(): void {
  forget("sessionStorage", KEY);
  host = undefined;
  signIn.reset();
  signIn.hidden = false;
  element("desk", HTMLElement).hidden = true;
  element("sign-out", HTMLButtonElement).hidden = true;
  root.dataset.phase = "signed-out";
}

function showState(state: State): void {
  element("state-words", HTMLElement).textContent = words.stands(state.users, state.style);
  element("read-only", HTMLButtonElement).setAttribute("aria-pressed", String(state.readOnly));
  element("rest", HTMLButtonElement).setAttribute("aria-pressed", String(state.resting));
  element("next-style", HTMLButtonElement).disabled = !state.style;
  const line = field(element("announce", HTMLFormElement), "text");
  if (document.activeElement !== line) line.value = state.announcement;
}

async function lists(): Promise<void> {
  const [{ bans = [] }, { acts = [] }] = await Promise.all([
    asked().call("bans", {}),
    asked().call("acts", { limit: LOG_LENGTH }),
  ]);
  showBans(element("bans", HTMLElement), bans, (ban) => void attempt(() => unban(ban)));
  element("no-bans", HTMLElement).hidden = bans.length > 0;
  element("no-log", HTMLElement).hidden = acts.length > 0;
  showLog(element("log", HTMLElement), acts);
}

async function look(): Promise<undefined> {
  const { painted = [] } = await asked().call("who", picture.region);
  showPainters(painters, painted);
  const nobody = element("nobody", HTMLElement);
  nobody.textContent = words.nobody;
  nobody.hidden = painted.length > 0;
  act.hidden = painted.length === 0;
}

async function ban(): Promise<string> {
  const chosen = ticked(painters);
  const reason = field(act, "reason");
  if (chosen.length === 0) return words.choose;
  const told = cleanLine(reason.value, LINE_LENGTH);
  if (!told) {
    reason.focus();
    return words.needsReason;
  }
  const seconds = Number(new FormData(act).get("seconds"));
  const addresses = field(act, "addresses").checked;
  for (const { author, address } of chosen) {
    const whom = !addresses ? { author, authorOnly: true } : address ? { author, address } : { author };
    await asked().call("ban", { ...whom, seconds, reason: told });
  }
  await look();
  await lists();
  return words.bannedNow(chosen.length);
}

async function unban(number: number): Promise<string> {
  await asked().call("unban", { ban: number });
  await lists();
  return words.ended;
}

async function takeBack(): Promise<string> {
  const authors = ticked(painters).map(({ author }) => author);
  if (authors.length === 0) return words.choose;
  const { dabs } = await asked().call("restore", { authors });
  picture.refresh();
  await lists();
  return words.restored(dabs);
}

async function restore(): Promise<string> {
  const time = new Date(field(element("restore", HTMLFormElement), "time").value).getTime();
  await asked().call("restore", { region: picture.region, time });
  picture.refresh();
  await lists();
  return words.restored(0);
}

async function announce(): Promise<string | undefined> {
  const line = field(element("announce", HTMLFormElement), "text");
  const text = cleanLine(line.value, LINE_LENGTH);
  if (line.value.trim() && !text) {
    line.focus();
    return words.needsLine;
  }
  return change(() => asked().call("announce", { text }));
}

async function change(work: () => Promise<State>): Promise<undefined> {
  showState(await work());
  await lists();
}

function field(form: HTMLFormElement, name: string): HTMLInputElement {
  const found = form.elements.namedItem(name);
  if (!(found instanceof HTMLInputElement)) throw new Error(`the form has no ${name}`);
  return found;
}

function fill(chosen: Region): void {
  for (const side of ["x", "y", "width", "height"] as const) field(region, side).value = String(chosen[side]);
}

function filled(): Region {
  const [x = 0, y = 0, width = 1, height = 1] = ["x", "y", "width", "height"].map((side) =>
    Number(field(region, side).value),
  );
  return { x, y, width: Math.min(width, SIDE - x), height: Math.min(height, SIDE - y) };
}

function pressed(id: string): boolean {
  return element(id, HTMLButtonElement).getAttribute("aria-pressed") === "true";
}

function onSubmit(form: HTMLFormElement, work: () => Promise<string | undefined>): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(work);
  });
}

function onClick(id: string, work: () => Promise<string | undefined>): void {
  element(id, HTMLButtonElement).addEventListener("click", () => void attempt(work));
}

onSubmit(signIn, () => enter(element("token", HTMLInputElement).value.trim()));
onSubmit(act, ban);
onSubmit(element("restore", HTMLFormElement), restore);
onSubmit(region, () => {
  picture.choose(filled());
  return look();
});
onSubmit(element("announce", HTMLFormElement), announce);
onClick("take-back", takeBack);
onClick("read-only", () => change(() => asked().call("readOnly", { on: !pressed("read-only") })));
onClick("rest", () => change(() => asked().call("rest", { on: !pressed("rest") })));
onClick("next-style", () => change(() => asked().call("nextStyle", {})));
element("sign-out", HTMLButtonElement).addEventListener("click", () => {
  leave();
  say("");
});
element("whole", HTMLButtonElement).addEventListener("click", () => {
  picture.choose({ x: 0, y: 0, width: SIDE, height: SIDE });
  fill(picture.region);
});

setInterval(() => {
  if (host && !document.hidden) picture.refresh();
}, REFRESH_MS);

const kept = recall("sessionStorage", KEY);
if (kept) void attempt(() => enter(kept));
