import { expect, test } from "vitest";
import { halfPath } from "../../src/browser/server";
import { Pixels } from "../../src/replica/pixels";
import { Replica } from "../../src/replica/replica";
import { Dreams } from "../../src/sync/dreams";

const SIDE = 8;

function page(half: { will: boolean }) {
  const asked: string[] = [];
  const replica = new Replica(SIDE, SIDE);
  const pictures = {
    dream: async (url: string, small: boolean) => {
      asked.push(small ? halfPath(url) : url);
      return new Pixels(SIDE, SIDE);
    },
    canvas: () => Promise.reject(new Error("not asked for")),
    patch: () => Promise.reject(new Error("not asked for")),
  };
  const dreams = new Dreams(replica, pictures, {
    mayLay: () => true,
    halfIsEnough: () => half.will,
    reload: async () => {},
    laid: () => {},
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  return { asked, replica, dreams, settle };
}

test("a dream is fetched in half its size where that is as sharp, and in full when it is looked at closely", async () => {
  const half = { will: true };
  const { asked, replica, dreams, settle } = page(half);
  dreams.offer({ dream: 1, seq: 0, url: "/dreams/1.jpg" });
  await settle();
  expect([asked, replica.dream, dreams.coarse]).toEqual([["/dreams/1-768.jpg"], 1, true]);
  dreams.pursue();
  await settle();
  expect(asked).toHaveLength(1);
  half.will = false;
  dreams.pursue();
  await settle();
  expect([asked.at(-1), dreams.coarse]).toEqual(["/dreams/1.jpg", false]);
  dreams.pursue();
  await settle();
  expect(asked).toHaveLength(2);
});

test("the picture in full is not given up when half would do again", async () => {
  const half = { will: false };
  const { asked, dreams, settle } = page(half);
  dreams.offer({ dream: 1, seq: 0, url: "/dreams/1.jpg" });
  await settle();
  half.will = true;
  dreams.pursue();
  await settle();
  expect([asked, dreams.coarse]).toEqual([["/dreams/1.jpg"], false]);
});
