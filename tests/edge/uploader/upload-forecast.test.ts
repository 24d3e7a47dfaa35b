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
    forecast.started();
    clock.advance(seconds * 1000);
    forecast.succeeded(bytes);
  };
  return { clock, forecast, upload };
}

test("tells nothing before anything was uploaded", () => {
  const { clock, forecast } = setUp();
  expect(forecast.bytesPerSecond()).toBeUndefined();
  expect(forecast.secondsUntil([100])).toEqual([undefined]);
  forecast.started();
  forecast.reached(10_000_000);
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
      forecast.started();
      clock.advance(7000);
      forecast.reached(rate * 7);
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
  forecast.started();
  forecast.reached(900_000_000);
  clock.advance(30_000);
  forecast.failed();
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
