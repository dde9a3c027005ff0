/** Fetches pictures and decodes them to exact pixels. */
import { Pixels } from "../replica/pixels";
import { decodePng, type Rgba } from "../replica/png";

/** A whole picture and its version. */
export interface Picture {
  readonly pixels: Pixels;
  readonly dream: number;
  readonly seq: number;
}

/** Where pictures come from; a test may put something else there. */
export interface Pictures {
  /** The picture of a dream at a path of the server; with `half`, scaled up from half its size. */
  dream(url: string, half: boolean): Promise<Pixels>;
  /** The present picture, without loss. */
  canvas(): Promise<Picture>;
  /** The pixels of a patch's file. */
  patch(file: Uint8Array): Promise<Rgba>;
}

export class HttpPictures implements Pictures {
  private readonly width: number;
  private readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  async dream(url: string, half: boolean): Promise<Pixels> {
    return half ? this.decode(await get(halfPath(url), {}), 2) : this.decode(await get(url, {}));
  }

  async canvas(): Promise<Picture> {
    const response = await get("/canvas.png", { cache: "no-cache" });
    const dream = Number(response.headers.get("X-Canvas-Dream"));
    const seq = Number(response.headers.get("X-Canvas-Seq"));
    return { pixels: await this.decode(response), dream, seq };
  }

  patch(file: Uint8Array): Promise<Rgba> {
    return decodePng(file);
  }

  private async decode(response: Response, scale = 1): Promise<Pixels> {
    const { width, height } = this;
    const bitmap = await createImageBitmap(await response.blob(), {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
    if (bitmap.width * scale !== width || bitmap.height * scale !== height) {
      const wanted = `${width / scale} × ${height / scale}`;
      throw new RangeError(`${response.url} is ${bitmap.width} × ${bitmap.height}, not ${wanted}`);
    }
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
    if (!context) throw new Error("no canvas to decode pictures with");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    return new Pixels(width, height, context.getImageData(0, 0, width, height).data);
  }
}

/** Where a dream is in half its size: `/dreams/12-768.jpg`. */
export function halfPath(url: string): string {
  return url.replace(/\.jpg$/, "-768.jpg");
}

async function get(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}
