/**
 * Finds which shortcut a key means, on any keyboard (pure).
 *
 * What a key writes counts first: a French keyboard's Z stands elsewhere than an American one's.
 * Where no shortcut is named after what it writes, the place of the key counts, as what an American
 * keyboard writes there: on keyboards of other scripts, and for digits where they need Shift.
 */

export interface Key {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly isComposing: boolean;
  getModifierState(name: string): boolean;
}

/**
 * What an American keyboard writes at places that are no letters or digits, alone and with Shift.
 */
const PLACES: Record<string, readonly [string, string]> = {
  BracketLeft: ["[", "{"],
  BracketRight: ["]", "}"],
  Minus: ["-", "_"],
  Equal: ["=", "+"],
  Comma: [",", "<"],
  Period: [".", ">"],
  Slash: ["/", "?"],
};

/** Signs of other scripts, and ours that they stand for. */
const SAME: Record<string, string> = { "\u061f": "?", "\u037e": "?", "\u2212": "-", "\u0131": "i" };

/**
 * Returns which of the known shortcuts is meant: a letter in lower case, a digit, a sign, or a
 * key's name such as `ArrowLeft`. Undefined where none is, for example with Ctrl, or while a word
 * is being composed.
 */
export function shortcut(event: Key, known: ReadonlySet<string>): string | undefined {
  const { key, code, ctrlKey, altKey, metaKey } = event;
  if (event.isComposing || metaKey) return undefined;
  const written = writes(key);
  if (ctrlKey || altKey) {
    // Right Alt and Option write signs on many keyboards; with anything else they are somebody
    // else's shortcuts.
    const third = event.getModifierState("AltGraph") || (altKey && !isPlaceOf(written, code));
    return third && /^[\p{P}\p{S}]$/u.test(written) && known.has(written) ? written : undefined;
  }
  if (known.has(written)) return written;
  const place = placed(event, written);
  return place !== undefined && known.has(place) ? place : undefined;
}

/** Whether it is Ctrl, or Command on a Mac, with this letter and nothing else. */
export function isControl(event: Key, letter: string): boolean {
  const { key, code, ctrlKey, metaKey, altKey, shiftKey, isComposing } = event;
  if (!(ctrlKey || metaKey) || altKey || shiftKey || isComposing) return false;
  const written = writes(key);
  return written === letter || (isForeign(written) && letterAt(code) === letter);
}

function writes(key: string): string {
  if (/^\w{2,}$/.test(key)) return key; // a key's name
  // Japanese keyboards write wide spaces and signs.
  const plain = key.normalize("NFKC").toLowerCase();
  return SAME[plain] ?? plain;
}

/** What an American keyboard writes in the key's place, where that is what it may be taken for. */
function placed({ code, shiftKey }: Key, written: string): string | undefined {
  if (/^\w{2,}$/.test(written)) return undefined; // a key's name, for example of a dead key
  const digit = /^Digit(\d)$/.exec(code)?.[1];
  if (digit !== undefined) return shiftKey ? undefined : digit;
  if (!isForeign(written)) return undefined;
  return letterAt(code) ?? PLACES[code]?.[shiftKey ? 1 : 0];
}

/**
 * Whether it is letters or marks of another script. Latin letters count for what they are, wherever
 * they stand.
 */
function isForeign(written: string): boolean {
  return /^[\p{L}\p{M}]+$/u.test(written) && !/\p{Script=Latin}/u.test(written);
}

function letterAt(code: string): string | undefined {
  return /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase();
}

/** Whether an American keyboard has the sign there: then Alt with it writes nothing. */
function isPlaceOf(sign: string, code: string): boolean {
  return PLACES[code]?.includes(sign) ?? false;
}
