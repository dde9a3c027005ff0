/** Fetches pictures and decodes them to exact pixels. */

import { halfPath, serverPath } from "../browser/server";
import { Pixels } from "../replica/pixels";
import { decodePng, type Rgba } from "../replica/png";
import type { Delivery, Order } from "./decoder";

/** A whole picture and its version. */
export interface Picture {
  readonly pixels: Pixels;
  readonly dream: number;
  readonly seq: number;
}

/** Where pictures come from: the server, or in a test something else. */
export interface Pictures {
  /**
   * Fetches the picture of a dream from a path of the server; with `half`, scaled up from half its
   * size.
   */
  dream(url: string, half: boolean): Promise<Pixels>;
  /** Fetches the present picture, without loss. */
  canvas(): Promise<Picture>;
  /** Decodes a patch's file. */
  patch(file: Uint8Array): Promise<Rgba>;
}

type Pixelled = Extract<Delivery, { data: unknown }>;

interface Waiting {
  readonly resolve: (delivery: Pixelled) => void;
  readonly reject: (error: Error) => void;
}

export class HttpPictures implements Pictures {
  private readonly width: number;
  private readonly height: number;
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private orders = 0;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  async dream(url: string, half: boolean): Promise<Pixels> {
    const { data } = half ? await this.order(halfPath(url), 2) : await this.order(url, 1);
    return new Pixels(this.width, this.height, data);
  }

  async canvas(): Promise<Picture> {
    const { data, dream, seq } = await this.order(serverPath("/canvas.png"), 1);
    return { pixels: new Pixels(this.width, this.height, data), dream, seq };
  }

  patch(file: Uint8Array): Promise<Rgba> {
    return decodePng(file);
  }

  private order(url: string, scale: number): Promise<Pixelled> {
    this.orders += 1;
    const order: Order = { id: this.orders, url, width: this.width, height: this.height, scale };
    return new Promise((resolve, reject) => {
      this.waiting.set(order.id, { resolve, reject });
      this.worker ??= this.hire();
      this.worker.postMessage(order);
    });
  }

  private hire(): Worker {
    const worker = new Worker(new URL("./decoder.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Delivery>) => this.delivered(data));
    worker.addEventListener("error", () => this.failed());
    return worker;
  }

  private delivered(delivery: Delivery): void {
    const waiting = this.waiting.get(delivery.id);
    this.waiting.delete(delivery.id);
    if ("data" in delivery) waiting?.resolve(delivery);
    else waiting?.reject(new Error(delivery.trouble));
  }

  /**
   * The worker could not be loaded, or broke: as when the network fails, what it had to do is asked
   * for again later.
   */
  private failed(): void {
    this.worker?.terminate();
    this.worker = undefined;
    for (const { reject } of this.waiting.values()) reject(new Error("the decoder failed"));
    this.waiting.clear();
  }
}
