import { expect, test } from "bun:test";
import fc from "fast-check";
import { instantsOf, localTimeOf } from "../../../src/common/time-zone.ts";
import { UploadWindows } from "../../../src/edge/uploader/upload-windows.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const zones = [
  "Asia/Seoul",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "UTC",
];
/** A day before daylight saving begins and ends in the zones that have it, and one when nothing happens. */
const days = [
  "2026-03-07",
  "2026-03-28",
  "2026-04-04",
  "2026-10-03",
  "2026-10-24",
  "2026-10-31",
  "2026-06-10",
];

const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** By looking at the clock on the wall. */
function isInByTheClock(windows: readonly string[], wallMs: number, timeZone: string): boolean {
  const { hour, minute } = localTimeOf(wallMs, timeZone);
  const now = hour * 60 + minute;
  return windows.some((window) => {
    const [from = 0, to = 0] = window.split("-").map(minuteOf);
    return from < to ? now >= from && now < to : now >= from || now < to;
  });
}

const time = fc
  .integer({ min: 0, max: 1439 })
  .map((m) => `${String(Math.floor(m / 60)).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`);
const windowText = fc
  .tuple(time, time)
  .filter(([from, to]) => from !== to)
  .map(([from, to]) => `${from}-${to}`);
const zone = fc.constantFrom(...zones);
const instant = fc
  .tuple(fc.constantFrom(...days), fc.integer({ min: 0, max: 2 * dayMs }))
  .map(([day, ms]) => Date.parse(`${day}T00:00:00Z`) + ms);

test("opens when the clock on the wall says so, to the minute, through daylight saving", () => {
  fc.assert(
    fc.property(
      fc.array(windowText, { minLength: 1, maxLength: 3 }),
      zone,
      instant,
      (texts, timeZone, wallMs) => {
        const next = new UploadWindows(texts, timeZone).nextOpenMs(wallMs)!;
        let expected = wallMs;
        while (!isInByTheClock(texts, expected, timeZone)) {
          expected = Math.floor(expected / minuteMs) * minuteMs + minuteMs;
        }
        expect(new Date(next).toISOString()).toBe(new Date(expected).toISOString());
      },
    ),
    { numRuns: 60 },
  );
});

test("counts only the time in windows", () => {
  fc.assert(
    fc.property(
      windowText,
      zone,
      instant,
      fc.integer({ min: 0, max: 3 * 60 }),
      (text, timeZone, wallMs, minutes) => {
        const start = Math.floor(wallMs / minuteMs) * minuteMs;
        const after = new UploadWindows([text], timeZone).timesAfter(start, [minutes * minuteMs + 1])[0];
        let left = minutes;
        let at = start;
        const limit = start + 7 * dayMs;
        for (; at < limit; at += minuteMs) {
          if (!isInByTheClock([text], at, timeZone)) continue;
          if (left === 0) break;
          left--;
        }
        expect(after).toBe(at < limit ? at + 1 : undefined);
      },
    ),
    // The last looks for a minute that is a week away, in the quarter of an hour in which the week ends.
    { numRuns: 15, examples: [["23:52-23:54", "Europe/Berlin", 1791063960000, 14]] },
  );
});

const at = (text: string, timeZone: string, which = 0) => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/\D/).map(Number);
  return instantsOf({ year, month, day, hour, minute, second: 0 }, timeZone)[which]!;
};

test("an hour that is skipped is not there, one that is repeated is there twice", () => {
  const berlin = "Europe/Berlin";
  const early = new UploadWindows(["02:15-02:45"], berlin);
  // On 29 March 2026 the clock goes from 02:00 to 03:00.
  expect(early.nextOpenMs(at("2026-03-29 01:00", berlin))).toBe(at("2026-03-30 02:15", berlin));
  const across = new UploadWindows(["02:15-03:30"], berlin);
  expect(across.nextOpenMs(at("2026-03-29 01:00", berlin))).toBe(at("2026-03-29 03:00", berlin));
  // On 25 October 2026 it goes from 03:00 back to 02:00.
  const first = at("2026-10-25 02:15", berlin, 0);
  const second = at("2026-10-25 02:15", berlin, 1);
  expect(second - first).toBe(60 * minuteMs);
  expect(early.nextOpenMs(first - minuteMs)).toBe(first);
  expect(early.nextOpenMs(first + 30 * minuteMs)).toBe(second);
  expect(early.timesAfter(first, [0, minuteMs, 45 * minuteMs])).toEqual([
    first,
    first + minuteMs,
    second + 15 * minuteMs,
  ]);
});

test("is always open without windows, and from midnight to midnight", () => {
  const wallMs = Date.parse("2026-06-10T12:34:56Z");
  for (const windows of [new UploadWindows([], "UTC"), new UploadWindows(["00:00-24:00"], "UTC")]) {
    expect(windows.nextOpenMs(wallMs)).toBe(wallMs);
    expect(windows.timesAfter(wallMs, [1, dayMs, 8 * dayMs])).toEqual([
      wallMs + 1,
      wallMs + dayMs,
      undefined,
    ]);
  }
});
