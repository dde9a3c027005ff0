/** The history page, put together: what there is, what the address asks for, what is played. */
import { element } from "../browser/dom";
import { translate } from "../words/language";
import { site } from "../words/site";
import type { Day, MovieWindow, Past } from "./api";
import * as archive from "./api";
import { Shelf } from "./day_movies";
import { Strip } from "./day_strip";
import { Guide } from "./guide";
import { WORDS } from "./messages";
import { parseLink, windowName } from "./moments";
import { StateView } from "./page_state";
import { Player } from "./player";
import { dayOf } from "./reel";

translate(document, { ...site, history: WORDS });

const REFRESH_MS = 60_000;
/** How often a window that is not a movie yet is asked for. */
const GROWTH_MS = 5000;

const root = document.documentElement;
const guide = new Guide(archive);
const state = new StateView(() => void start());
let past: Past | undefined;
/** The next link is followed to be played, not to be looked at. */
let play = false;
/** The player was opened from within the page: closing it goes back. */
let entered = false;
let asked = 0;

const strip = new Strip((day) => void choose(day));
const shelf = new Shelf(guide, {
  opened: () => {
    play = true;
  },
  newest: async (window: MovieWindow) => (await archive.fetchWindow(windowName(window.start)))?.dreams.at(-1),
});
const player = new Player({
  address: (fragment) => history.replaceState(history.state, "", fragment),
  closed: () => {
    asked += 1;
    if (parseLink(location.hash)) {
      if (entered) history.back();
      else history.replaceState(null, "", location.pathname);
    }
    entered = false;
    document.title = TITLE;
  },
});
const TITLE = document.title;

async function choose(day: Day): Promise<void> {
  if (!past) return;
  strip.choose(day.day);
  await shelf.show(day, past);
}

/** Fetches what there is, and shows it. */
async function start(): Promise<void> {
  state.show("loading");
  try {
    past = await guide.fetchPast();
  } catch {
    state.show("failed");
    root.dataset.phase = "failed";
    return;
  }
  await show(past);
  await follow();
  root.dataset.phase = "live";
}

async function show(now: Past): Promise<void> {
  state.show(now.days.length === 0 ? "empty" : "none");
  root.dataset.days = String(now.days.length);
  const newest = now.days[0];
  if (!newest) return;
  const linked = parseLink(location.hash);
  const asked =
    linked &&
    ("day" in linked ? now.days.find(({ day }) => day === linked.day) : dayOf(now.days, linked.time));
  const current = now.days.find(({ day }) => day === shelf.day?.day) ?? asked ?? newest;
  strip.show(now.days, current.day);
  await shelf.show(current, now);
}

/** Opens what the address says. */
async function follow(): Promise<void> {
  const link = parseLink(location.hash);
  const wanted = play;
  play = false;
  asked += 1;
  const number = asked;
  if (!link || !past) {
    player.close();
    return;
  }
  player.expect();
  try {
    const found = await guide.find(link);
    if (number !== asked) return;
    if ("missing" in found) {
      player.miss(found.missing);
      return;
    }
    const { reel, index, remark } = found;
    player.open(reel, index, past, { play: wanted, remark: remark ? WORDS[remark] : "" });
    document.title = `${element("title", HTMLElement).textContent} · ${TITLE}`;
    if (reel.kind === "window") {
      const { earlier, later } = await guide.neighbours(reel.recording.start);
      if (number === asked) player.setNeighbours(earlier, later);
    }
  } catch (error) {
    if (!(error instanceof archive.Failed)) throw error;
    if (number === asked && !player.reel) player.fail(() => void follow());
  }
}

async function refresh(): Promise<void> {
  if (document.hidden || !past) return;
  try {
    const now = await guide.fetchPast();
    const changed = JSON.stringify(now) !== JSON.stringify(past);
    past = now;
    if (changed) await show(now);
  } catch {
    // What is shown stays; it is asked for again.
  }
}

async function grow(): Promise<void> {
  const { reel } = player;
  if (document.hidden || !reel || reel.kind === "day" || reel.recording.renditions.length > 0) return;
  try {
    const now = await guide.again(reel);
    if (now && player.reel === reel) player.update(now);
  } catch {
    // As above.
  }
}

addEventListener("hashchange", (event) => {
  entered = entered || !parseLink(new URL(event.oldURL).hash);
  void follow();
});
document.addEventListener("visibilitychange", () => void refresh());
setInterval(() => void refresh(), REFRESH_MS);
setInterval(() => void grow(), GROWTH_MS);
void start();
