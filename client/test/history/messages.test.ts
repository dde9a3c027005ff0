import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { historyDe } from "../../src/history/messages_de";
import { historyEn } from "../../src/history/messages_en";
import { de } from "../../src/words/de";
import { en } from "../../src/words/en";
import { message } from "../../src/words/language";

/** What the page's markup may ask for. */
const ENGLISH = { ...en, history: historyEn };
const GERMAN = { ...de, history: historyDe };

type Message = string | ((...values: never[]) => string);

/** All messages by their paths: `keys.play`. */
function flatten(tree: object, path = ""): Map<string, Message> {
  const entries = Object.entries(tree).flatMap(([name, value]): [string, Message][] =>
    typeof value === "object" && value !== null
      ? [...flatten(value, `${path}${name}.`)]
      : [[`${path}${name}`, value]],
  );
  return new Map(entries);
}

const english = flatten(historyEn);
const german = flatten(historyDe);

/** What a message says for some arguments; numbers and texts are taken alike. */
function said(each: Message | undefined, ...values: unknown[]): string {
  return typeof each === "function"
    ? (each as (...values: unknown[]) => string)(...values)
    : (each ?? "");
}

describe("the messages of the history page", () => {
  it("have the same names in German as in English", () => {
    expect([...german.keys()]).toEqual([...english.keys()]);
  });

  it("all say something, and are no copies", () => {
    const same = [...english.keys()].filter(
      (name) => said(english.get(name), 7, 8, 9) === said(german.get(name), 7, 8, 9),
    );
    expect(same).toEqual(["length"]);
    for (const [name, each] of [...english, ...german])
      expect(said(each, 7, 8, 9).trim(), name).not.toBe("");
  });

  it("take the same arguments, and say each", () => {
    const values = [7, 8, 9];
    for (const [name, each] of english) {
      const other = german.get(name);
      expect(typeof other, name).toBe(typeof each);
      if (typeof each !== "function" || typeof other !== "function") continue;
      expect(other.length, name).toBe(each.length);
      for (const value of values.slice(0, each.length)) {
        expect(said(each, ...values), name).toContain(String(value));
        expect(said(other, ...values), name).toContain(String(value));
      }
    }
  });

  it("count", () => {
    expect([0, 1, 3600].map(historyEn.dreams)).toEqual(["0 dreams", "1 dream", "3,600 dreams"]);
    expect([0, 1, 3600].map(historyDe.dreams)).toEqual(["0 Träume", "1 Traum", "3.600 Träume"]);
    expect([1, 2].map(historyDe.movies)).toEqual(["1 Film", "2 Filme"]);
  });

  it("are there for all that the page's markup asks for", () => {
    const markup = readFileSync(new URL("../../history.html", import.meta.url), "utf8");
    const asked = [...markup.matchAll(/data-t(?:-[a-z-]+)?="([^"]+)"/g)].map(([, path]) => path);
    expect(asked.length).toBeGreaterThan(30);
    for (const language of [ENGLISH, GERMAN])
      for (const path of asked) expect(message(path, language), path).not.toBe("");
  });

  it("are what the markup says before it is translated, in English", () => {
    const markup = readFileSync(new URL("../../history.html", import.meta.url), "utf8");
    for (const [, path, text] of markup.matchAll(/ data-t="([^"]+)"[^>]*>([^<]*)</g))
      expect(text, path).toBe(message(path, ENGLISH));
  });

  it("name every curated style in German", () => {
    const file = new URL(
      "../../../dreamcanvas/dream/styles/efficientnet_lite0.toml",
      import.meta.url,
    );
    const names = [...readFileSync(file, "utf8").matchAll(/^name = "(.+)"$/gm)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(de.styles, name).toHaveProperty([name]);
  });
});
