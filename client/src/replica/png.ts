/**
 * Reads the PNG files of patches: 8-bit RGBA, not interlaced.
 *
 * The browser's own decoder goes through premultiplied alpha, which rounds; a patch has to be
 * exact. Inflating is the platform's; what is left is the file's chunks and the rows' filters (PNG
 * specification, third edition, section 9).
 */

export interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS = 4;
const MAX_PIXELS = 1 << 24;

/** Decodes a PNG file. Throws a RangeError that says what is wrong with it. */
export async function decodePng(file: Uint8Array): Promise<Rgba> {
  if (SIGNATURE.some((byte, i) => file[i] !== byte)) throw new RangeError("not a PNG file");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let width = 0;
  let height = 0;
  const compressed: Uint8Array[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (at + 12 + length > file.length) throw new RangeError(`PNG chunk ${kind} is cut short`);
    if (kind === "IHDR") {
      width = view.getUint32(at + 8);
      height = view.getUint32(at + 12);
      const [depth, color, , , interlace] = file.subarray(at + 16, at + 21);
      if (depth !== 8 || color !== 6 || interlace !== 0) {
        throw new RangeError(
          `PNG of depth ${depth}, colour type ${color}, interlace ${interlace}: not 8, 6, 0`,
        );
      }
    } else if (kind === "IDAT") {
      compressed.push(file.subarray(at + 8, at + 8 + length));
    } else if (kind === "IEND") {
      break;
    }
    at += 12 + length;
  }
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new RangeError(`PNG of ${width} × ${height} pixels`);
  }
  return { width, height, rgba: unfilter(await inflate(compressed), width, height) };
}

async function inflate(parts: Uint8Array[]): Promise<Uint8Array> {
  const stream = new Blob(parts as BlobPart[])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unfilter(rows: Uint8Array, width: number, height: number): Uint8ClampedArray {
  const stride = width * CHANNELS;
  if (rows.length < (stride + 1) * height) throw new RangeError("PNG has too few rows");
  const out = new Uint8ClampedArray(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    for (let i = 0; i < stride; i++) {
      const left = i >= CHANNELS ? out[to + i - CHANNELS] : 0;
      const up = y > 0 ? out[to + i - stride] : 0;
      const corner = i >= CHANNELS && y > 0 ? out[to + i - stride - CHANNELS] : 0;
      out[to + i] = (rows[from + i] + predict(filter, left, up, corner)) & 255;
    }
  }
  return out;
}

function predict(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const p = left + up - corner;
      const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      throw new RangeError(`PNG row filter ${filter}`);
  }
}
