import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { Caller } from "../../src/connection/connection";
import { RpcError } from "../../src/connection/wsrpc";
import { StatusEventSchema } from "../../src/gen/dreamcanvas_pb";
import { Replica } from "../../src/replica/replica";
import type { Pictures } from "../../src/sync/pictures";
import { Sync } from "../../src/sync/sync";

test("whose name the server does not take is seen without one", async () => {
  const names: unknown[] = [];
  const caller: Caller = {
    call(method, request) {
      expect(method.name).toBe("cursor");
      const { name } = request as { name: string };
      names.push(name);
      return Promise.reject(new RpcError("INVALID_PARAMS", "no", name === "Ada" ? "name" : "pos"));
    },
  };
  const nothing = { drawn() {}, rebasing() {}, rebased() {} };
  const listener = { changed() {}, refused() {}, pointed() {} };
  const sync = new Sync(
    new Replica(8, 8, nothing),
    caller,
    {} as Pictures,
    new Uint8Array(16),
    listener,
  );
  sync.phase = "live";
  sync.status = create(StatusEventSchema, { users: 2 });
  for (const name of ["Ada", "Ada", "Eve", "Eve", "Ada"]) {
    sync.point({ x: 1, y: 1, down: false, color: 0, name });
    await Promise.resolve();
    await Promise.resolve();
  }
  // Another name may be taken, whatever else is refused
  expect(names).toEqual(["Ada", "", "Eve", "Eve", ""]);
});
