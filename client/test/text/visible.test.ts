import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cleanName } from "../../src/storage/preferences";
import { cleanLine, isLine, isVisible } from "../../src/text/visible";

interface Case {
  readonly text: string;
  readonly why: string;
  readonly line: boolean;
  readonly visible: boolean;
}

/** The server's rule is held to the same table. */
const CASES = JSON.parse(readFileSync("../tests/text/visible.json", "utf8")) as readonly Case[];

describe("a text", () => {
  test.each(CASES.map((each) => [each.why, JSON.stringify(each.text), each] as const))(
    "is one line, and seen, or not: %s, %s",
    (_, __, { text, line, visible }) => {
      expect({ line: isLine(text), visible: isVisible(text) }).toEqual({ line, visible });
    },
  );

  test("is taken by the server once it is clean, whatever it was", () => {
    const all = Array.from({ length: 11_000 }, (_, i) => String.fromCodePoint(i * 101));
    for (const text of [...CASES.map((each) => each.text), ...all, "\ud800x", "x".repeat(60)]) {
      for (const clean of [
        cleanLine(text, 40),
        cleanLine(`a${text}`, 40),
        cleanLine(`${text} ${text}`, 3),
      ]) {
        expect(clean === "" || (isLine(clean) && isVisible(clean) && [...clean].length <= 40)).toBe(
          true,
        );
      }
    }
  });
});

describe("a name", () => {
  test.each([
    ["Ada", "Ada"],
    ["  Ada \n Lovelace ", "Ada Lovelace"],
    ["山田　太郎", "山田 太郎"],
    ["Ada\u200b\u202e", "Ada"],
    ["\u3164", ""],
    ["\u2800 \u2800", ""],
    ["\u0301\u0302", ""],
    ["\u{1f469}\u200d\u{1f4bb}", "\u{1f469}\u200d\u{1f4bb}"],
    ["x".repeat(50), "x".repeat(40)],
    ["\u{1f600}".repeat(50), "\u{1f600}".repeat(40)],
    [`${"x".repeat(39)} y`, "x".repeat(39)],
  ])("is one line that others see: %j", (given, wanted) => {
    expect(cleanName(given)).toBe(wanted);
  });
});
