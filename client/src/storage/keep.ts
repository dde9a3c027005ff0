/**
 * Keeps texts in the browser's storage. Storage may be forbidden (then every access to it throws),
 * full or missing. Nothing here throws: the page goes on without what could not be kept.
 */

import { asRecord } from "./records";

/** `localStorage` is kept across visits, `sessionStorage` for the tab. */
export type Store = "localStorage" | "sessionStorage";

/** Returns what was kept, or null. */
export function recall(store: Store, key: string): string | null {
  const inHistory = store === "localStorage" ? recallFromHistory(key) : null;
  if (inHistory !== null) return inHistory;
  try {
    return globalThis[store].getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a text where that is possible. */
export function keep(store: Store, key: string, text: string): void {
  try {
    globalThis[store].setItem(key, text);
  } catch {
    if (store === "localStorage") keepInHistory(key, text);
  }
}

export function forget(store: Store, key: string): void {
  try {
    globalThis[store].removeItem(key);
  } catch {
    // Where nothing may be kept there is nothing to forget.
  }
}

/*
 * Preferences have to survive a reload of the page even where nothing may be stored, since choosing
 * a language reloads it. Then they are kept in the state of the tab's history entry, which does not
 * count as stored data.
 */

const KEPT = "dreamcanvas";

function recallFromHistory(key: string): string | null {
  const found = keptInHistory()[key];
  return typeof found === "string" ? found : null;
}

function keepInHistory(key: string, text: string): void {
  try {
    history.replaceState({ ...stateOf(), [KEPT]: { ...keptInHistory(), [key]: text } }, "");
  } catch {
    // Browsers limit how often this may be called, and outside of a page there is no history.
  }
}

function keptInHistory(): Record<string, unknown> {
  return asRecord(stateOf()[KEPT]);
}

function stateOf(): Record<string, unknown> {
  return typeof history === "undefined" ? {} : asRecord(history.state);
}
