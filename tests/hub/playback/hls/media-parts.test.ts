import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ArchivedFile } from "../../../../src/common/mp4/archive-file.ts";
import { partSeconds, planParts } from "../../../../src/hub/playback/hls/media-parts.ts";

type Given = { ms: number; sizeBytes: number; startsWithKeyframe: boolean; closed: boolean };

function fileOf(given: readonly Given[], startTicks = 0): ArchivedFile {
  let offset = 5_000;
  let ticks = startTicks;
  const fragments = given.map(({ ms, ...rest }) => {
    const fragment = { ...rest, offset, startTicks: ticks, durationTicks: ms * 90 };
    offset += rest.sizeBytes;
    ticks += ms * 90;
    return fragment;
  });
  return { initOffset: 1_000, initSizeBytes: 700, timescale: 90_000, fragments } as unknown as ArchivedFile;
}
const seconds = (...all: number[]) =>
  all.map((one) => ({ ms: one * 1000, sizeBytes: 100, startsWithKeyframe: true, closed: true }));
const secondsOf = (given: readonly Given[]) =>
  Array.from(planParts(fileOf(given)).durationsTicks, (ticks) => Math.round(ticks) / 90_000);

test("fragments are joined up to six seconds; what is longer stands alone", () => {
  expect(secondsOf(seconds(1, 1, 1, 1, 1, 1, 1, 1))).toEqual([6, 2]);
  expect(secondsOf(seconds(1.001, 1.001, 1.001, 1.001, 1.001, 1.001, 1.001))).toEqual([6.006, 1.001]);
  expect(secondsOf(seconds(4, 4, 1))).toEqual([4, 5]);
  expect(secondsOf(seconds(20, 1))).toEqual([20, 1]);
});

test("a part begins with a keyframe, and one open GOP makes the parts depend on each other", () => {
  const all = seconds(1, 1, 1, 1, 1, 1, 1, 1);
  const late = all.map((one, i) => ({ ...one, startsWithKeyframe: i !== 6 }));
  expect(secondsOf(late)).toEqual([7, 1]);
  expect(planParts(fileOf(all)).areIndependent).toBe(true);
  const open = all.map((one, i) => ({ ...one, closed: i !== 6 }));
  expect(planParts(fileOf(open)).areIndependent).toBe(false);
  // Inside a part it does not matter.
  expect(planParts(fileOf(all.map((one, i) => ({ ...one, closed: i !== 3 })))).areIndependent).toBe(true);
});

test("nothing is lost, whatever the fragments", () => {
  const fragment = fc.record({
    ms: fc.integer({ min: 0, max: 20_000 }),
    sizeBytes: fc.integer({ min: 1, max: 1e7 }),
    startsWithKeyframe: fc.boolean(),
    closed: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fragment, { minLength: 1, maxLength: 50 }), fc.nat(1e12), (given, startTicks) => {
      const file = fileOf(given, startTicks);
      const parts = planParts(file);
      const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);
      expect(total(parts.sizesBytes)).toBe(total(given.map((one) => one.sizeBytes)));
      expect(total(parts.durationsTicks)).toBe(total(given.map((one) => one.ms * 90)));
      expect(parts.endTicks - parts.startTicks).toBe(total(parts.durationsTicks));
      expect([parts.firstOffset, parts.init]).toEqual([5_000, { start: 1_000, end: 1_700 }]);
      const keyframes = given.filter((one) => one.startsWithKeyframe).length;
      const isLong = (ticks: number) => Math.round(ticks / 90_000) > partSeconds;
      if (keyframes === given.length && given.every((one) => one.ms <= 6_000)) {
        expect([...parts.durationsTicks].some(isLong)).toBe(false);
      }
    }),
  );
});

test("a file without fragments is damaged", () => {
  expect(() => planParts(fileOf([]))).toThrow("no fragment");
});
