import { expect, test } from "vitest";
import { ServerClock } from "../../src/sync/server_clock";

test("the server's clock is guessed from the message that was fastest", () => {
  const clock = new ServerClock();
  expect(clock.at(500)).toBe(500);
  clock.heard(10_000, 4300);
  clock.heard(11_000, 5020);
  clock.heard(12_000, 6700);
  expect(clock.at(7000)).toBe(12_980);
});

test("a clock that was set is believed after a while", () => {
  const clock = new ServerClock();
  clock.heard(10_000, 1000);
  for (let i = 0; i < 16; i++) clock.heard(5000 + i, 2000 + i);
  expect(clock.at(3000)).toBe(6000);
});
