import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Fragment } from "../../../src/common/mp4/fragment.ts";
import type { InitSegment } from "../../../src/common/mp4/init-segment.ts";
import { RealTimePace } from "../../../src/edge/camera/real-time-pace.ts";

const init = { video: { timescale: 1000 } } as InitSegment;
const fragment = (startMs: number, durationMs: number, hasVideo = true) =>
  ({
    hasVideo,
    videoDecodeTime: startMs,
    videoDurationTicks: durationMs,
    videoDurationMs: durationMs,
  }) as Fragment;

/** When each fragment is taken; `readyMs`: from when on it is there. */
function play(parts: readonly { startMs: number; durationMs: number; readyMs: number }[]): number[] {
  const pace = new RealTimePace();
  let nowMs = 0;
  return parts.map(({ startMs, durationMs, readyMs }) => {
    nowMs = Math.max(nowMs, readyMs);
    nowMs += pace.waitMs(fragment(startMs, durationMs), init, nowMs);
    return nowMs;
  });
}

test("fragments that are there at once are taken when their media ends", () => {
  const at = (startMs: number, durationMs: number) => ({ startMs, durationMs, readyMs: 5000 });
  expect(play([at(0, 1000), at(1000, 1000), at(2000, 4000), at(6000, 500)])).toEqual([
    6000, 7000, 11_000, 11_500,
  ]);
});

test("what was held up is made up for", () => {
  const at = (startMs: number, readyMs: number) => ({ startMs, durationMs: 1000, readyMs });
  expect(play([at(0, 0), at(1000, 60_000), at(2000, 0), at(60_000, 0)])).toEqual([
    1000, 60_000, 60_000, 61_000,
  ]);
});

test("sound alone does not wait", () => {
  const pace = new RealTimePace();
  expect(pace.waitMs(fragment(0, 1000), init, 0)).toBe(1000);
  expect(pace.waitMs(fragment(0, 0, false), init, 1000)).toBe(0);
});

test("whatever the times are, nothing waits longer than it is itself", () => {
  const part = fc.record({
    startMs: fc.integer({ min: 0, max: 1_000_000 }),
    durationMs: fc.integer({ min: 1, max: 60_000 }),
    readyMs: fc.constant(0),
  });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 50 }), (parts) => {
      const taken = play(parts);
      for (const [i, ms] of taken.entries()) {
        const waited = ms - (taken[i - 1] ?? 0);
        expect(waited).toBeGreaterThanOrEqual(0);
        expect(waited).toBeLessThanOrEqual(parts[i]!.durationMs);
      }
    }),
  );
});
