import { expect, test } from "bun:test";
import { LeapWatch } from "../../../../src/hub/ui/client/player/leap-watch.ts";

/** A video at some second, with what is loaded of it. */
function makeVideo(currentTime: number, ranges: [start: number, end: number][]) {
  let seek = () => {};
  const video = {
    ...{ currentTime, paused: false, ranges },
    buffered: {
      get length(): number {
        return video.ranges.length;
      },
      start: (i: number): number => video.ranges[i]?.[0] ?? 0,
      end: (i: number): number => video.ranges[i]?.[1] ?? 0,
    },
    addEventListener: (_: string, listener: () => void) => {
      seek = listener;
    },
  };
  return { video, watch: new LeapWatch(video), seek: () => seek() };
}

test("a video that stands where nothing was loaded, after its computer slept, goes back to where it was", () => {
  const { video, watch } = makeVideo(11, [[0, 36]]);
  watch.look();
  video.currentTime = 71.4;
  watch.look();
  expect(video.currentTime).toBe(11);
});

test("also when it has loaded something there meanwhile", () => {
  const { video, watch } = makeVideo(11, [[0, 36]]);
  watch.look();
  Object.assign(video, {
    currentTime: 71.4,
    ranges: [
      [24, 36],
      [66, 96],
    ],
  });
  watch.look();
  expect(video.currentTime).toBe(11);
});

test("what was played without a look, since its tab was in the background, was played", () => {
  const { video, watch } = makeVideo(11, [[0, 36]]);
  watch.look();
  Object.assign(video, { currentTime: 71.4, ranges: [[36, 96]] });
  watch.look();
  expect(video.currentTime).toBe(71.4);
});

test("whoever goes somewhere else stays there, be it while it is paused", () => {
  const { video, watch, seek } = makeVideo(11, [[0, 36]]);
  watch.look();
  video.currentTime = 71.4;
  seek();
  watch.look();
  expect(video.currentTime).toBe(71.4);
  Object.assign(video, { paused: true });
  watch.look();
  Object.assign(video, { currentTime: 200, paused: false });
  watch.look();
  expect(video.currentTime).toBe(200);
});
