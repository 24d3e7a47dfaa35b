import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { localTimeOf, zoneOffsetMs } from "../../../src/common/time-zone.ts";
import { endsBefore, nextBoundary } from "../../../src/edge/recorder/segmenter.ts";

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString();

const zones = ["UTC", "Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"].concat([
  "Asia/Kathmandu",
  "America/St_Johns",
  "Africa/Casablanca",
  "Pacific/Apia",
  "Europe/Dublin",
]);
const lengths = [2, 5, 10, 60, 90, 600, 900, 1200, 1800, 3600];

describe("nextBoundary", () => {
  test.each([
    ["2025-09-23T06:30:00.000Z", "Asia/Seoul", 600, "2025-09-23T06:40:00.000Z"],
    ["2025-09-23T06:39:59.999Z", "Asia/Seoul", 600, "2025-09-23T06:40:00.000Z"],
    ["2025-09-23T06:30:00.001Z", "UTC", 10, "2025-09-23T06:30:10.000Z"],
    // Full hours of Kathmandu, 5:45 ahead.
    ["2025-09-23T06:30:00.000Z", "Asia/Kathmandu", 3600, "2025-09-23T07:15:00.000Z"],
    // Berlin: 02:00 becomes 03:00, and 03:00 becomes 02:00.
    ["2025-03-30T00:59:59.000Z", "Europe/Berlin", 600, "2025-03-30T01:00:00.000Z"],
    ["2025-10-26T00:55:00.000Z", "Europe/Berlin", 600, "2025-10-26T01:00:00.000Z"],
    // Lord Howe goes back by half an hour at 02:00: that full hour comes half an hour later.
    ["2025-04-05T14:40:00.000Z", "Australia/Lord_Howe", 3600, "2025-04-05T15:30:00.000Z"],
    ["1970-01-01T00:00:12.000Z", "UTC", 600, "1970-01-01T00:10:00.000Z"],
  ])("after %s in %s, every %d s: %s", (wall, zone, length, expected) => {
    expect(iso(nextBoundary(at(wall), zone, length))).toBe(expected);
  });

  test("is the first instant after now whose local time is a multiple", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2030-01-01T00:00:00Z") }),
        fc.constantFrom(...zones),
        fc.constantFrom(...lengths),
        (wallMs, zone, length) => {
          const boundary = nextBoundary(wallMs, zone, length);
          const isMultiple = (ms: number) => (ms + zoneOffsetMs(ms, zone)) % (length * 1000) === 0;
          expect(boundary).toBeGreaterThan(wallMs);
          expect(isMultiple(boundary)).toBe(true);
          // No offset is finer than a minute any more, so no boundary can hide between these.
          const stride = Math.min(length, 60) * 1000;
          const first = Math.ceil((wallMs + 1) / stride) * stride;
          if (length % 60 === 0 || 60 % length === 0) {
            for (let ms = first; ms < boundary; ms += stride) expect(isMultiple(ms)).toBe(false);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("around every change of the offset too", () => {
    // Instants just before a change, found by bisection.
    for (const zone of zones) {
      for (let day = at("2024-12-31T00:00:00Z"); day < at("2026-01-02T00:00:00Z"); day += 86_400_000) {
        if (zoneOffsetMs(day, zone) === zoneOffsetMs(day + 86_400_000, zone)) continue;
        let low = day;
        let high = day + 86_400_000;
        while (high - low > 1) {
          const middle = Math.floor((low + high) / 2);
          if (zoneOffsetMs(middle, zone) === zoneOffsetMs(day, zone)) low = middle;
          else high = middle;
        }
        for (const length of [600, 1800, 3600]) {
          for (let wallMs = high - 4_000_000; wallMs < high + 4_000_000; wallMs += 131_071) {
            const boundary = nextBoundary(wallMs, zone, length);
            expect(boundary).toBeGreaterThan(wallMs);
            expect((boundary + zoneOffsetMs(boundary, zone)) % (length * 1000)).toBe(0);
            expect(boundary - wallMs).toBeLessThan(2 * length * 1000);
          }
        }
      }
    }
  });

  test("with 600 s, the minutes of local time end in zero", () => {
    const local = localTimeOf(
      nextBoundary(at("2025-06-01T12:34:56.789Z"), "America/St_Johns", 600),
      "America/St_Johns",
    );
    expect([local.minute % 10, local.second]).toEqual([0, 0]);
  });
});

describe("endsBefore", () => {
  const boundary = at("2025-09-23T06:40:00.000Z");
  test.each([
    [boundary - 1, true, false],
    [boundary, true, true],
    [boundary + 980, true, true],
    [boundary + 980, false, false],
  ])("a fragment at %d, keyframe %p: %p", (startsAtMs, startsWithKeyframe, expected) => {
    expect(endsBefore(boundary, { startsAtMs, startsWithKeyframe })).toBe(expected);
  });
});
