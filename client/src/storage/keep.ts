/**
 * What the browser keeps for the page. All of it may be forbidden, so that the very access throws, full, or missing: nothing
 * here throws, and the page goes on without what is not kept.
 */

import { asRecord } from "./records";

/** `localStorage` is kept across visits, `sessionStorage` for the tab. */
export type Store = "localStorage" | "sessionStorage";

/** What was kept, or null. */
export function recall(store: Store, key: string): string | null {
  const briefly = store === "localStorage" ? recallBriefly(key) : null;
  if (briefly !== null) return briefly;
  try {
    return globalThis[store].getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a text as far as that is allowed. */
export function keep(store: Store, key: string, text: string): void {
  try {
    globalThis[store].setItem(key, text);
  } catch {
    if (store === "localStorage") keepBriefly(key, text);
  }
}

export function forget(store: Store, key: string): void {
  try {
    globalThis[store].removeItem(key);
  } catch {
    // Where nothing may be kept there is nothing.
  }
}

/*
 * Wishes that may not be stored still have to survive a reload of the page, as a change of the language is one: they go with
 * the entry in the tab's history, which is no site data.
 */

const KEPT = "dreamcanvas";

function recallBriefly(key: string): string | null {
  const found = brief()[key];
  return typeof found === "string" ? found : null;
}

function keepBriefly(key: string, text: string): void {
  try {
    history.replaceState({ ...stateOf(), [KEPT]: { ...brief(), [key]: text } }, "");
  } catch {
    // Browsers bound how often that may be done, and there is no history outside of a page.
  }
}

function brief(): Record<string, unknown> {
  return asRecord(stateOf()[KEPT]);
}

function stateOf(): Record<string, unknown> {
  return typeof history === "undefined" ? {} : asRecord(history.state);
}
