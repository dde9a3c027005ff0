/** Reads the server's events that are operations. */
import { fromBinary } from "@bufbuild/protobuf";
import { PaintsEventSchema, PatchEventSchema } from "../gen/dreamcanvas_pb";
import type { Dab } from "../replica/brush";
import type { Operation } from "../replica/replica";
import type { Pictures } from "./pictures";

export function readPaints(payload: Uint8Array): Operation[] {
  return fromBinary(PaintsEventSchema, payload).paints.map(
    ({ pos, size, color, seq, author, stroke }) => {
      const dab = { x: pos?.x ?? 0, y: pos?.y ?? 0, size, color };
      return { seq: Number(seq), author, stroke, content: { dab } };
    },
  );
}

/**
 * Takes a moment, since the patch is a compressed file; its place in the order is kept by its
 * number.
 */
export async function readPatch(payload: Uint8Array, pictures: Pictures): Promise<Operation> {
  const { seq, author, offset, image } = fromBinary(PatchEventSchema, payload);
  const { width, height, rgba } = await pictures.patch(image);
  const patch = { x: offset?.x ?? 0, y: offset?.y ?? 0, width, height, rgba };
  return { seq: Number(seq), author, stroke: 0, content: { patch } };
}

/** Whether an operation is this dab of this stroke. */
export function isDab({ stroke, content }: Operation, ownStroke: number, dab: Dab): boolean {
  if (!("dab" in content) || stroke !== ownStroke) return false;
  const { x, y, size, color } = content.dab;
  return x === dab.x && y === dab.y && size === dab.size && color === dab.color;
}
