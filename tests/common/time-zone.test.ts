import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  instantsOf,
  localDateOf,
  localTimeOf,
  startOfLocalDay,
  zoneOffsetMs,
} from "../../src/common/time-zone.ts";

const hourMs = 3_600_000;
const zones = [
  "UTC",
  "Asia/Seoul",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
];

describe("local time", () => {
  test("every instant is among the instants of its own local time", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2060, 0) }),
        (zone, ms) => {
          const second = Math.floor(ms / 1000) * 1000;
          expect(instantsOf(localTimeOf(second, zone), zone)).toContain(second);
        },
      ),
    );
  });

  test("the hour that Berlin repeats has two instants, an hour apart, earlier first", () => {
    const instants = instantsOf(
      { year: 2025, month: 10, day: 26, hour: 2, minute: 30, second: 0 },
      "Europe/Berlin",
    );
    expect(instants).toEqual([Date.UTC(2025, 9, 26, 0, 30), Date.UTC(2025, 9, 26, 1, 30)]);
  });

  test("the hour that Berlin skips has none", () => {
    expect(
      instantsOf({ year: 2025, month: 3, day: 30, hour: 2, minute: 30, second: 0 }, "Europe/Berlin"),
    ).toEqual([]);
  });

  test("offsets are those of the instant, not of today", () => {
    expect(zoneOffsetMs(Date.UTC(2025, 0, 1), "Europe/Berlin")).toBe(hourMs);
    expect(zoneOffsetMs(Date.UTC(2025, 6, 1), "Europe/Berlin")).toBe(2 * hourMs);
    expect(zoneOffsetMs(-0.5, "Asia/Seoul")).toBe(9 * hourMs);
  });

  test("a local day begins at local midnight, or at the first instant that exists", () => {
    expect(startOfLocalDay({ year: 2025, month: 9, day: 23 }, "Asia/Seoul")).toBe(Date.UTC(2025, 8, 22, 15));
    // Santiago moves its clock from 24:00 to 01:00: midnight does not exist.
    expect(startOfLocalDay({ year: 2025, month: 9, day: 7 }, "America/Santiago")).toBe(
      Date.UTC(2025, 8, 7, 4),
    );
  });

  test("the date is the zone's", () => {
    expect(localDateOf(Date.UTC(2025, 8, 23, 23), "Asia/Seoul")).toBe("2025-09-24");
  });
});
