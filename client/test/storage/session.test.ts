import { describe, expect, test, vi } from "vitest";
import { type Channel, formatKept, parseKept, TabSession } from "../../src/storage/session";

const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
const KEPT = { secret: SECRET, last: 7, strokes: [{ number: 7, drawn: 1000 }] };

/** Pages of one browser, each with a copy of what was kept. */
class Browser {
  private readonly pages: Channel[] = [];

  open(changed = () => {}): TabSession {
    vi.stubGlobal("sessionStorage", {
      getItem: () => formatKept(KEPT),
      setItem() {},
      removeItem() {},
    });
    const page: Channel = {
      onmessage: null,
      postMessage: (data: unknown) => {
        const heard = this.pages.filter((other) => other !== page);
        for (const other of heard)
          queueMicrotask(() =>
            other.onmessage?.call(other as BroadcastChannel, { data } as MessageEvent),
          );
      },
    };
    const session = new TabSession(changed, page);
    this.pages.push(page);
    return session;
  }
}

describe("what is kept of a session", () => {
  test("is read as it was written", () => {
    expect(parseKept(formatKept(KEPT))).toEqual(KEPT);
  });

  test.each([
    null,
    "",
    "{}",
    "null",
    "7",
    '{"secret":"00"}',
    formatKept(KEPT).replace("7", "-1"),
    "{",
  ])("is nothing where it is not sound: %s", (text) => expect(parseKept(text)).toBeUndefined());

  test("leaves strokes out that are none", () => {
    const text = formatKept(KEPT).replace("]", ',{"number":"8","drawn":1},null,{"number":8}]');
    expect(parseKept(text)).toEqual(KEPT);
  });
});

describe("the session of a tab", () => {
  test("is the one before after a reload, with its ink", async () => {
    const page = new Browser().open();
    expect(await page.settle()).toEqual(KEPT);
    expect(page.secret).toEqual(SECRET);
  });

  test("is another one while a page has it", async () => {
    const browser = new Browser();
    const first = browser.open();
    await first.settle();
    const second = browser.open();
    expect(await second.settle()).toEqual({ last: 0, strokes: [] });
    expect(second.secret).not.toEqual(SECRET);
    expect(first.secret).toEqual(SECRET);
  });

  test("is one page's where several begin at once, whoever is heard", async () => {
    for (let times = 0; times < 6; times++) {
      const browser = new Browser();
      const pages = [browser.open(), browser.open(), browser.open()];
      // The first asked before the others listened
      const owners = await Promise.all(pages.map((page) => page.settle()));
      expect(owners.filter(({ last }) => last === 7)).toHaveLength(1);
      expect(new Set(pages.map(({ secret }) => String(secret))).size).toBe(3);
    }
  });

  test("is changed where the page that has it was too busy to say so in time", async () => {
    const browser = new Browser();
    const changed = vi.fn();
    const late = browser.open(changed);
    await late.settle();
    const busy = browser.open();
    const asker = Reflect.get(late, "asker") as number;
    Reflect.get(busy, "channel").postMessage({
      kind: "mine",
      session: "00102030405060708090a0b0c0d0e0f0",
      asker,
    });
    await Promise.resolve();
    expect(changed).toHaveBeenCalledOnce();
    expect(late.secret).not.toEqual(SECRET);
  });
});
