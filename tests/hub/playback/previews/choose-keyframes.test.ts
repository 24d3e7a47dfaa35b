import { expect, test } from "bun:test";
import { chooseKeyframes } from "../../../../src/hub/playback/previews/choose-keyframes.ts";
import { planPreviews } from "../../../../src/hub/playback/previews/plan-previews.ts";

/** Starts of fragments in seconds from the first; a negative one does not start with a keyframe. */
function chosenOf(starts: readonly number[], durationMs: number): [cue: number, second: number][] {
  const timescale = 1_000;
  const origin = 7_000_000;
  const fragments = starts.map((start) => ({
    ...{ sizeBytes: 1, offset: 0, durationTicks: 1, closed: true },
    startTicks: origin + Math.abs(start) * timescale,
    startsWithKeyframe: start >= 0,
  }));
  const { cues } = planPreviews({ width: 1920, height: 1080, durationMs });
  return chooseKeyframes({ fragments, timescale }, cues).map(({ cue, fragment }) => [
    cue,
    (fragment.startTicks - origin) / timescale,
  ]);
}

test("the first keyframe of each ten seconds", () => {
  const everySecond = Array.from({ length: 30 }, (_, i) => i);
  expect(chosenOf(everySecond, 30_000)).toEqual([
    [0, 0],
    [1, 10],
    [2, 20],
  ]);
  const drifting = everySecond.map((i) => i * 1.001);
  expect(chosenOf(drifting, 30_030)).toEqual([
    [0, 0],
    [1, 10.01],
    [2, 20.02],
  ]);
});

test("one that begins a rounding too early begins with its cue", () => {
  expect(chosenOf([0, 9.9996, 19.9996], 30_000).map(([cue]) => cue)).toEqual([0, 1, 2]);
});

test("where keyframes are rare the picture stays until the next", () => {
  expect(chosenOf([0, 25, 50], 60_000)).toEqual([
    [0, 0],
    [2, 25],
    [5, 50],
  ]);
  expect(chosenOf([0], 60_000)).toEqual([[0, 0]]);
});

test("only keyframes, also where the first comes late", () => {
  expect(chosenOf([-0.0001, 3, -10, 12], 20_000)).toEqual([
    [0, 3],
    [1, 12],
  ]);
  expect(chosenOf([-0.5, 15], 20_000)).toEqual([[0, 15]]);
  expect(chosenOf([-1, -2], 20_000)).toEqual([]);
  expect(chosenOf([], 20_000)).toEqual([]);
});
