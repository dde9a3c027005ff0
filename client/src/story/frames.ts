/** The last dreams, and a place in each of them. */
import { halfPath } from "../browser/server";
import type { Caller } from "../connection/connection";
import { RpcError } from "../connection/wsrpc";
import { DreamPainter } from "../gen/dreamcanvas_pb";

export interface Frame {
  readonly dream: number;
  /** When it was dreamt, ms since 1970. */
  readonly time: number;
  readonly style: string;
  readonly url: string;
}

/** A square part of the canvas, in its pixels. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** How much of the canvas a story shows. */
const SIDE = 256;

/** Returns the place around a spot, moved so that all of it is on the canvas. */
export function placeAround(x: number, y: number, canvas: number): Place {
  const within = (at: number) => Math.round(Math.min(canvas - SIDE, Math.max(0, at - SIDE / 2)));
  return { left: within(x), top: within(y), side: SIDE };
}

/**
 * Up to `most` dreams up to `newest`, the oldest first; fewer where older ones are no longer kept.
 */
export async function lastFrames(caller: Caller, newest: number, most: number): Promise<Frame[]> {
  const numbers = Array.from({ length: Math.min(most, newest) }, (_, i) => newest - i);
  const frames = await Promise.all(
    numbers.map(async (dream): Promise<Frame | undefined> => {
      try {
        const { time, style, url } = await caller.call(DreamPainter.method.getFrame, {
          dream: BigInt(dream),
        });
        return url ? { dream, time: Number(time), style, url } : undefined;
      } catch (error) {
        if (error instanceof RpcError) return undefined;
        throw error;
      }
    }),
  );
  return frames.filter((frame) => frame !== undefined).reverse();
}

/** Fetches a place in a dream: from its picture in half the size, or in full. */
export async function fetchPlace(
  { url }: Frame,
  place: Place,
  full: boolean,
): Promise<ImageBitmap> {
  const response = await fetch(full ? url : halfPath(url));
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  const scale = full ? 1 : 0.5;
  const [left, top, side] = [place.left * scale, place.top * scale, place.side * scale];
  return createImageBitmap(await response.blob(), left, top, side, side);
}
