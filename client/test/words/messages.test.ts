import { describe, expect, test } from "vitest";
import { StatusEvent_Dreamer as Dreamer } from "../../src/gen/dreamcanvas_pb";
import { cleanName, parsePreferences } from "../../src/storage/preferences";
import { PALETTES } from "../../src/ui/palettes";
import { agoWords, animalWords, hueOf } from "../../src/ui/status_words";
import { de } from "../../src/words/de";
import { en } from "../../src/words/en";
import { chooseLanguage, message } from "../../src/words/language";

/** `draw.undo` and so on: every message's path, with the number of values that it takes. */
function paths(messages: object, prefix = ""): string[] {
  return Object.entries(messages).flatMap(([name, value]): string[] => {
    if (typeof value === "string") return [`${prefix}${name}`];
    if (typeof value === "function") return [`${prefix}${name}(${value.length})`];
    return paths(value, `${prefix}${name}.`);
  });
}

const fixed = (all: string[]) => all.filter((path) => !path.startsWith("styles.")).sort();

describe("messages", () => {
  test("are there in German and English alike", () => {
    expect(fixed(paths(de))).toEqual(fixed(paths(en)));
    expect(Dreamer.OFF).toBe(0);
  });

  test("are none of them empty", () => {
    for (const each of [en, de])
      for (const path of paths(each)) {
        if (!path.endsWith(")")) expect(message(path, each), path).not.toBe("");
      }
  });

  test("have as many animals in each language, so that one is the same in all", () => {
    expect(de.animals.split(" ")).toHaveLength(en.animals.split(" ").length);
  });

  test("that are asked for and not there are a fault of the page", () => {
    expect(() => message("draw.nothing", en)).toThrow("there is no message draw.nothing");
  });

  test.each([
    [["de-AT", "en"], "de"],
    [["fr", "en-US"], "en"],
    [["fr"], "en"],
    [[], "en"],
  ])("for a browser that wishes %j are in %s", (wished, language) => {
    expect(chooseLanguage(wished)).toBe(language);
  });
});

test("how long ago something was is said in seconds, minutes, hours", () => {
  expect([0, 2400, 89_000, 90_000, 89 * 60_000, 5_400_000].map(agoWords)).toEqual([
    "0 s ago",
    "2 s ago",
    "89 s ago",
    "2 min ago",
    "89 min ago",
    "2 h ago",
  ]);
  expect(agoWords(-5000)).toBe("0 s ago"); // clocks differ
});

test("somebody is always the same animal of the same colour, and neighbours differ", () => {
  expect(animalWords(7)).toBe(animalWords(7));
  const numbers = Array.from({ length: 40 }, (_, i) => i + 1);
  expect(new Set(numbers.map(animalWords)).size).toBeGreaterThan(12);
  for (const n of numbers.slice(1)) {
    const apart = Math.abs(hueOf(n) - hueOf(n - 1));
    expect(Math.min(apart, 360 - apart), `${n}`).toBeGreaterThan(30);
  }
});

test("each palette has black, five colours and white, all different", () => {
  for (const { swatches } of PALETTES) {
    expect(new Set(swatches.map(({ color }) => color)).size).toBe(7);
    expect([swatches[0].color, swatches[6].color]).toEqual([0x000000, 0xffffff]);
  }
});

describe("preferences", () => {
  test("are as they were, as far as what was saved is sound", () => {
    const saved = '{"language":"de","theme":"light","cursors":false,"name":"Ada"}';
    expect(parsePreferences(saved)).toEqual({
      language: "de",
      theme: "light",
      cursors: false,
      name: "Ada",
    });
    const fresh = parsePreferences(null);
    for (const odd of ["", "[]", "3", '{"language":"../x","theme":"pink","cursors":"no","name":7}'])
      expect(parsePreferences(odd)).toEqual(fresh);
  });

  test("hold a name of one line and at most 40 characters", () => {
    expect(cleanName("  a\nb\u0007c ")).toBe("a b c");
    expect([...cleanName("🦊".repeat(50))]).toHaveLength(40);
  });
});
