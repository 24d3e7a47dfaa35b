import { expect, test } from "bun:test";
import { aheadMs, FollowNewest } from "../../../../src/hub/ui/client/player/follow-newest.ts";

/** A player that stands at 10 s, the end of what it has. */
function stand(more: { followsEdge?: boolean; nextMs?: number; isOnEdge?: boolean } = {}) {
  const stage = { atMs: 10_000, endMs: 10_000, followsEdge: more.followsEdge ?? false };
  const data = {
    nextMs: more.nextMs,
    ...{ edgeEndMs: 0, newestMs: 10_000 },
    nextFrom: async () => data.nextMs,
    isOnEdgeAt: () => more.isOnEdge ?? false,
  };
  const done: string[] = [];
  const shuttle = {
    isHeld: false,
    play() {
      shuttle.isHeld = false;
      done.push("play");
    },
    hold() {
      shuttle.isHeld = true;
      done.push("hold");
    },
  };
  let said = "";
  const newest = new FollowNewest({
    ...{ stage, data, shuttle },
    seek: async (atMs) => {
      done.push(`seek ${atMs}`);
      stage.atMs = atMs;
    },
    say: (text) => {
      said = text;
    },
    words: { waitsForMore: "archive", waitsForCamera: "camera {0}" },
    formats: { duration: (ms) => `${ms / 1000} s` },
  });
  return { stage, data, shuttle, newest, done, said: () => said };
}

test("goes on to what is on the edge, however little it is", async () => {
  const { newest, done } = stand({ nextMs: 10_100, isOnEdge: true });
  await newest.reachEnd(true);
  expect(done).toEqual(["seek 10100", "play"]);
  expect(newest.isWaiting).toBe(false);
});

test("waits for the camera and says for how much of it, then plays on", async () => {
  const { stage, newest, done, said } = stand({ followsEdge: true });
  await newest.reachEnd(true);
  expect([done, said(), newest.isWaiting]).toEqual([["hold"], "camera 4 s", true]);
  stage.endMs += 3_000;
  newest.look();
  expect([done, said()]).toEqual([["hold"], "camera 1 s"]);
  stage.endMs = stage.atMs + aheadMs;
  newest.look();
  expect([done, said(), newest.isWaiting]).toEqual([["hold", "play"], "", false]);
});

test("says nothing more to whoever pauses while it waits", async () => {
  const { shuttle, newest, said } = stand({ followsEdge: true });
  await newest.reachEnd(true);
  shuttle.isHeld = false;
  newest.look();
  expect([said(), newest.isWaiting]).toEqual(["", false]);
});

test("waits for the archive, and goes on when it is told of more", async () => {
  const { data, newest, done, said } = stand();
  await newest.reachEnd(false);
  newest.look();
  expect([done, said(), newest.isWaiting]).toEqual([[], "archive", true]);
  await newest.hear(true);
  expect(done).toEqual([]);
  data.nextMs = 15_000;
  await newest.hear(true);
  expect(done).toEqual(["seek 15000", "play"]);
  newest.leave();
  expect([said(), newest.isWaiting]).toEqual(["", false]);
});

test("what is archived comes by itself into what grows", async () => {
  const { newest, done, said } = stand({ nextMs: 15_000 });
  await newest.reachEnd(true);
  expect([done, said()]).toEqual([[], "archive"]);
});

test("goes to what there is where the playlist does not tell how to go on", async () => {
  const { data, newest, done } = stand({ followsEdge: true });
  await newest.reachEnd(true);
  data.edgeEndMs = 15_000;
  await newest.hear(false);
  expect(done).toEqual(["hold"]);
  data.edgeEndMs = 25_000;
  await newest.hear(false);
  expect(done).toEqual(["hold", "seek 10001", "play"]);
});
