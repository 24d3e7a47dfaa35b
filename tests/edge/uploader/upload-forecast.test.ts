import { expect, test } from "bun:test";
import fc from "fast-check";
import { UploadForecast } from "../../../src/edge/uploader/upload-forecast.ts";
import { UploadWindows } from "../../../src/edge/uploader/upload-windows.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const startMs = Date.parse("2026-06-10T20:00:00Z");

function setUp(windows?: UploadWindows) {
  const clock = new FakeClock(startMs);
  const forecast = new UploadForecast({ clock, windows });
  const upload = (bytes: number, seconds: number) => {
    forecast.started("a");
    clock.advance(seconds * 1000);
    forecast.succeeded("a", bytes);
  };
  return { clock, forecast, upload };
}

test("tells nothing before anything was uploaded", () => {
  const { clock, forecast } = setUp();
  expect(forecast.bytesPerSecond()).toBeUndefined();
  expect(forecast.secondsUntil([100])).toEqual([undefined]);
  forecast.started("a");
  forecast.reached("a", 10_000_000);
  clock.advance(100);
  expect(forecast.bytesPerSecond()).toBeUndefined();
});

test("a steady speed is told as it is, whatever the sizes, in the middle of an upload too", () => {
  const seconds = fc.array(fc.double({ min: 0.6, max: 500, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 100_000_000 }), seconds, (rate, list) => {
      const { clock, forecast, upload } = setUp();
      for (const took of list) upload(rate * took, took);
      expect(forecast.bytesPerSecond()! / rate).toBeCloseTo(1, 6);
      forecast.started("a");
      clock.advance(7000);
      forecast.reached("a", rate * 7);
      expect(forecast.bytesPerSecond()! / rate).toBeCloseTo(1, 6);
      expect(forecast.secondsUntil([rate, rate * 2])).toEqual([expect.closeTo(1, 4), expect.closeTo(3, 4)]);
    }),
    { numRuns: 50 },
  );
});

test("follows a speed that changes, and does not count what was in vain or idle", () => {
  const { clock, forecast, upload } = setUp();
  upload(60_000_000, 60);
  clock.advance(3_600_000);
  expect(forecast.bytesPerSecond()).toBeCloseTo(1_000_000);
  forecast.started("a");
  forecast.reached("a", 900_000_000);
  clock.advance(30_000);
  forecast.failed("a");
  expect(forecast.bytesPerSecond()).toBeCloseTo(1_000_000);
  for (let i = 0; i < 10; i++) upload(3_000_000, 30);
  expect(forecast.bytesPerSecond()!).toBeLessThan(150_000);
});

test("knows the windows", () => {
  const { forecast, upload } = setUp(new UploadWindows(["20:00-21:00"], "UTC"));
  upload(1_000_000, 1);
  // The window has 3599 s left; the second file needs one more, which is tomorrow's first.
  expect(forecast.secondsUntil([3_590_000_000, 10_000_000, 1e12])).toEqual([
    expect.closeTo(3590),
    expect.closeTo(24 * 3600),
    undefined,
  ]);
});

test("the time that uploads have in common counts once", () => {
  const { clock, forecast } = setUp();
  forecast.started("a");
  clock.advance(10_000);
  forecast.reached("a", 10_000_000);
  // The first is only being made durable now, and the next goes out.
  for (let i = 0; i < 20; i++) {
    const [before, next] = i % 2 === 0 ? (["a", "b"] as const) : (["b", "a"] as const);
    forecast.started(next);
    clock.advance(5000);
    forecast.reached(next, 5_000_000);
    forecast.succeeded(before, 10_000_000);
    clock.advance(5000);
    forecast.reached(next, 10_000_000);
    // Not twice as much, and not half: how much older time counts is all that differs.
    expect(Math.abs(forecast.bytesPerSecond()! / 1_000_000 - 1)).toBeLessThan(0.1);
  }
});
