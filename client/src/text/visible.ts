/**
 * Tells what can be seen of a text (pure). The server's `dreamcanvas/text/visible.py` does the
 * same; `tests/text/visible.json` tests both.
 */

/**
 * Control characters and the like, but joiners, which make emoji and words of some scripts, and
 * tags, which make flags.
 */
const NOT_IN_A_LINE =
  /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]|(?!\u200c|\u200d|[\u{e0020}-\u{e007f}])\p{Cf}/u;

/**
 * All but spaces, marks without a letter, characters for which nothing is drawn, and signs that are
 * drawn as a blank.
 */
const SEEN =
  /[^\p{Z}\p{M}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}\u{13441}\u{13442}]/u;

/** Whether a text is one line without control characters. */
export function isLine(text: string): boolean {
  return !NOT_IN_A_LINE.test(text);
}

/** Whether anything of a text can be seen. */
export function isVisible(text: string): boolean {
  return SEEN.test(text);
}

/**
 * Returns a text as one line of at most so many characters, as the server accepts it; empty where
 * nothing of it can be seen.
 */
export function cleanLine(text: string, length: number): string {
  const spaced = text.replace(/[\p{Z}\p{Cc}]+/gu, " ");
  const line = [...spaced].filter(isLine).join("").replace(/ +/g, " ").trim();
  const cut = [...line].slice(0, length).join("").trimEnd();
  return isVisible(cut) ? cut : "";
}
