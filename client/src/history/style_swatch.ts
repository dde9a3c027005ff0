/** Makes a spot in the colour that a style has on this page; `hue` in degrees. */
export function styleSwatch(hue: number | undefined): HTMLElement {
  const swatch = document.createElement("i");
  swatch.style.background = `hsl(${hue} 42% 48%)`;
  return swatch;
}
