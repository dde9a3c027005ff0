/**
 * Runs in a worker: fetches a picture and gives its exact pixels. It takes tens of milliseconds,
 * for which no ink must wait.
 */

import { context2d } from "../browser/dom";

export interface Order {
  readonly id: number;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  /** How many times as large as the file the picture is to be. */
  readonly scale: number;
}

export type Delivery =
  | {
      readonly id: number;
      readonly data: Uint8ClampedArray<ArrayBuffer>;
      readonly dream: number;
      readonly seq: number;
    }
  | { readonly id: number; readonly trouble: string };

addEventListener("message", ({ data: order }: MessageEvent<Order>) => {
  deliver(order).then(
    (delivery) =>
      postMessage(delivery, { transfer: "data" in delivery ? [delivery.data.buffer] : [] }),
    (error: unknown) => postMessage({ id: order.id, trouble: String(error) } satisfies Delivery),
  );
});

async function deliver({ id, url, width, height, scale }: Order): Promise<Delivery> {
  const response = await fetch(url, url.includes("/dreams/") ? {} : { cache: "no-cache" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const bitmap = await createImageBitmap(await response.blob(), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  if (bitmap.width * scale !== width || bitmap.height * scale !== height) {
    throw new RangeError(
      `${url} is ${bitmap.width} × ${bitmap.height}, not ${width / scale} × ${height / scale}`,
    );
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = context2d(canvas, { willReadFrequently: true, alpha: false });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const header = (name: string) => Number(response.headers.get(name));
  return { id, data, dream: header("X-Canvas-Dream"), seq: header("X-Canvas-Seq") };
}
