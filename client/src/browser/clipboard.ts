/** Puts a text on the clipboard. Returns false where that is not allowed. */
export async function copyText(text: string): Promise<boolean> {
  try {
    // Absent on pages that came over plain HTTP.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/**
 * Copies by selecting the text, the old way that works on every page. The field goes into an open
 * dialog, since nothing behind that can be selected.
 */
function copySelected(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true; // no keyboard pops up on a telephone
  field.className = "unseen";
  field.setAttribute("aria-hidden", "true");
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // As where `execCommand` returns false.
  }
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}
