/** What visitors take away from the page: a link to the view, the picture as a file. */

import { copyText } from "../browser/clipboard";
import { context2d } from "../browser/dom";
import type { Pixels } from "../replica/pixels";

/**
 * Copies the link, or opens the telephone's own dialog for sharing. Returns `refused` where neither
 * is allowed.
 */
export async function shareLink(url: string): Promise<"copied" | "shared" | "refused"> {
  if (matchMedia("(pointer: coarse)").matches && typeof navigator.share === "function") {
    try {
      await navigator.share({ title: "Dreamcanvas", url });
      return "shared";
    } catch (error) {
      // The visitor closed the dialog.
      if (error instanceof DOMException && error.name === "AbortError") return "shared";
    }
  }
  return (await copyText(url)) ? "copied" : "refused";
}

/** Encodes a picture as a PNG file, without loss. */
export function pngOf({ data, width, height }: Pixels): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  context2d(canvas, { alpha: false }).putImageData(new ImageData(data, width, height), 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** Puts a file into the visitor's downloads. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
