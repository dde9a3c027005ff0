import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Throttle } from "../../src/sync/throttle";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

test("of what comes too fast only the last is done, when its time has come", () => {
  const throttle = new Throttle(() => 10);
  const done: string[] = [];
  for (const each of ["a", "b", "c"]) throttle.run(() => done.push(each));
  expect(done).toEqual(["a"]);
  vi.advanceTimersByTime(99);
  expect(done).toEqual(["a"]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual(["a", "c"]);
  vi.advanceTimersByTime(100);
  throttle.run(() => done.push("d"));
  expect(done).toEqual(["a", "c", "d"]);
});
