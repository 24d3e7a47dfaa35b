import { describe, expect, test } from "bun:test";
import { FragmentMeter } from "../../../src/edge/camera/fragment-meter.ts";
import { madeFragment, madeInit } from "../../support/made-fragments.ts";

function metered(arrivals: number[], durationMs = 1000): FragmentMeter {
  const meter = new FragmentMeter();
  for (const [i, arrivedMs] of arrivals.entries()) {
    meter.add(madeFragment({ startMs: i * durationMs, durationMs, sizeBytes: 50_000 }), madeInit, arrivedMs);
  }
  return meter;
}

const everySecond = Array.from({ length: 40 }, (_, i) => i * 1000);

describe("a meter", () => {
  test("measures frames and bits by the time of the media", () => {
    const meter = metered(everySecond);
    expect(meter.fps).toBe(25);
    expect(meter.bitrateBps).toBe(400_000);
    expect(meter.longestMs).toBe(1000);
  });

  test("knows nothing without a fragment", () => {
    const meter = new FragmentMeter();
    expect([meter.fps, meter.bitrateBps, meter.isSteady(0)]).toEqual([undefined, undefined, false]);
  });

  test.each([
    ["fragments on time", everySecond, 40_000, true],
    ["the newest is old", everySecond, 39_000 + 5_001, false],
    ["a burst, then silence for a little", everySecond.map(() => 0), 4_000, true],
    ["half of the time is missing", everySecond.map((ms) => ms * 2), 80_000, false],
    ["a short stop in between", everySecond.map((ms) => (ms > 30_000 ? ms + 2_000 : ms)), 42_000, true],
  ])("%s", (_name, arrivals, nowMs, expected) => {
    expect(metered(arrivals).isSteady(nowMs)).toBe(expected);
  });
});
