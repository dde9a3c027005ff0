import { describe, expect, test } from "vitest";
import { isControl, type Key, shortcut } from "../../src/browser/keyboard";

const KNOWN = new Set(
  "+ = - 0 1 2 3 4 5 6 7 [ ] p i s z b ? < > l ArrowLeft Escape Enter".split(" ").concat(" "),
);

type Held = "ctrl" | "alt" | "meta" | "shift" | "altgr" | "composing";

function press(key: string, code: string, ...held: Held[]): Key {
  return {
    key,
    code,
    ctrlKey: held.includes("ctrl"),
    altKey: held.includes("alt"),
    metaKey: held.includes("meta"),
    shiftKey: held.includes("shift"),
    isComposing: held.includes("composing"),
    getModifierState: (name) => name === "AltGraph" && held.includes("altgr"),
  };
}

const meant = (key: string, code: string, ...held: Held[]) =>
  shortcut(press(key, code, ...held), KNOWN);

describe("a shortcut", () => {
  test.each([
    ["American", "z", "KeyZ", "z"],
    ["with Caps Lock", "Z", "KeyZ", "z"],
    ["French, where Z stands at W", "z", "KeyW", "z"],
    ["German, where Z stands at Y", "z", "KeyY", "z"],
    ["Dvorak", "p", "KeyR", "p"],
    ["Russian", "з", "KeyP", "p"],
    ["Russian with Caps Lock", "Ы", "KeyS", "s"],
    ["Greek", "ι", "KeyI", "i"],
    ["Hebrew", "ד", "KeyS", "s"],
    ["Arabic", "ش", "KeyA", undefined],
    ["Arabic, two letters on one key", "لا", "KeyB", "b"],
    ["Thai", "ผ", "KeyZ", "z"],
    ["Thai, a mark", "ิ", "KeyB", "b"],
    ["Korean", "ㅋ", "KeyZ", "z"],
    ["Georgian", "ბ", "KeyB", "b"],
    ["Turkish, a dotless i", "ı", "KeyI", "i"],
    ["French W, which stands at Z", "w", "KeyZ", undefined],
    ["bépo à, which stands at Z", "à", "KeyZ", undefined],
    ["Dvorak semicolon, which stands at Z", ";", "KeyZ", undefined],
  ])("is the letter that is written, or else its place: %s", (_, key, code, wanted) => {
    expect(meant(key, code)).toBe(wanted);
  });

  test.each([
    ["American", "1", "Digit1", "1"],
    ["French", "&", "Digit1", "1"],
    ["French", "é", "Digit2", "2"],
    ["French", '"', "Digit3", "3"],
    ["French", "'", "Digit4", "4"],
    ["French", "(", "Digit5", "5"],
    ["French", "è", "Digit7", "7"],
    ["French", "à", "Digit0", "0"],
    ["French, whose 6 writes a sign of ours", "-", "Digit6", "-"],
    ["Czech", "ě", "Digit2", "2"],
    ["Czech, whose 1 writes a sign of ours", "+", "Digit1", "+"],
    ["Lithuanian", "ą", "Digit1", "1"],
    ["Persian", "۳", "Digit3", "3"],
    ["the number pad", "5", "Numpad5", "5"],
    ["beyond the palette", "ç", "Digit9", undefined],
  ])("is the digit that is written, or else its place: %s %s", (_, key, code, wanted) => {
    expect(meant(key, code)).toBe(wanted);
  });

  test("is no digit where Shift makes another sign of it", () => {
    expect(meant("!", "Digit1", "shift")).toBeUndefined();
    expect(meant("1", "Digit1", "shift")).toBe("1"); // French
  });

  test.each([
    ["[ on a German Mac", "[", "Digit5", ["alt"], "["],
    ["] on a German Mac", "]", "Digit6", ["alt"], "]"],
    ["[ on a Mac with a French keyboard", "[", "Digit5", ["alt", "shift"], "["],
    ["[ on a German PC, as Windows tells of AltGr", "[", "Digit8", ["ctrl", "alt", "altgr"], "["],
    ["] on Linux", "]", "Digit9", ["altgr"], "]"],
    ["[ in Spain", "[", "BracketLeft", ["altgr"], "["],
    ["? in Russia", "?", "Digit7", ["shift"], "?"],
    ["? in Arabic", "؟", "Slash", ["shift"], "?"],
    ["the place of [ in Russia", "х", "BracketLeft", [], "["],
    ["the place of ] in Ukraine", "ї", "BracketRight", [], "]"],
    ["the place of < in Russia", "Б", "Comma", ["shift"], "<"],
    ["the place of > in Russia", "Ю", "Period", ["shift"], ">"],
    ["a wide + of a Japanese keyboard", "＋", "Semicolon", ["shift"], "+"],
    ["a wide space of a Japanese keyboard", "\u3000", "Space", [], " "],
    ["the place of [ in Germany is a letter", "ü", "BracketLeft", [], undefined],
    ["the place of [ in Turkey is a letter", "ğ", "BracketLeft", [], undefined],
  ] as const)("is a sign however it is written: %s", (_, key, code, held, wanted) => {
    expect(meant(key, code, ...held)).toBe(wanted);
  });

  test.each([
    ["Alt with a sign's own key", "[", "BracketLeft", ["alt"]],
    ["Option with a letter", "π", "KeyP", ["alt"]],
    ["AltGr with a letter that writes one of ours", "s", "KeyS", ["altgr", "alt"]],
    ["Ctrl with a letter", "s", "KeyS", ["ctrl"]],
    ["Ctrl with a sign: the browser's own zoom", "+", "Equal", ["ctrl", "shift"]],
    ["Ctrl with a digit", "1", "Digit1", ["ctrl"]],
    ["Alt with an arrow: the browser's way back", "ArrowLeft", "ArrowLeft", ["alt"]],
    ["Command with a letter", "p", "KeyP", ["meta"]],
    ["a dead key", "Dead", "BracketLeft", []],
    ["a dead key in a digit's place", "Dead", "Digit2", []],
    ["a word that is being composed", "s", "KeyS", ["composing"]],
    ["an input method at work", "Process", "KeyS", []],
    ["a telephone's keyboard", "Unidentified", "", []],
  ] as const)("is none: %s", (_, key, code, held) => {
    expect(meant(key, code, ...held)).toBeUndefined();
  });

  test("is a key by its name", () => {
    expect(meant("ArrowLeft", "ArrowLeft")).toBe("ArrowLeft");
    expect(meant("Escape", "Escape")).toBe("Escape");
    expect(meant("F5", "F5")).toBeUndefined();
  });
});

describe("Ctrl+Z", () => {
  test.each([
    ["American", "z", "KeyZ", ["ctrl"], true],
    ["on a Mac", "z", "KeyZ", ["meta"], true],
    ["with Caps Lock", "Z", "KeyZ", ["ctrl"], true],
    ["German", "z", "KeyY", ["ctrl"], true],
    ["Russian", "я", "KeyZ", ["ctrl"], true],
    ["Ukrainian on a Mac", "я", "KeyZ", ["meta"], true],
    ["Greek", "ζ", "KeyZ", ["ctrl"], true],
    ["Hebrew", "ז", "KeyZ", ["ctrl"], true],
    ["Arabic", "ئ", "KeyZ", ["ctrl"], true],
    ["Hindi, a mark in its place", "ॆ", "KeyZ", ["ctrl"], true],
    ["French Ctrl+W closes the tab", "w", "KeyZ", ["ctrl"], false],
    ["Ctrl+Y of a German keyboard", "y", "KeyZ", ["ctrl"], false],
    ["Dvorak Ctrl+;", ";", "KeyZ", ["ctrl"], false],
    ["with Shift, which means again", "Z", "KeyZ", ["ctrl", "shift"], false],
    ["with Alt", "z", "KeyZ", ["ctrl", "alt"], false],
    ["alone", "z", "KeyZ", [], false],
    ["while a word is composed", "z", "KeyZ", ["ctrl", "composing"], false],
  ] as const)("is meant, or not: %s", (_, key, code, held, wanted) => {
    expect(isControl(press(key, code, ...held), "z")).toBe(wanted);
  });
});
