import { describe, expect, test } from "bun:test";
import { formatterOf } from "../../../src/hub/ui/format.ts";

const en = formatterOf("en");
const ko = formatterOf("ko");
const at = Date.UTC(2025, 8, 23, 6, 30, 5);

describe("times are those of the zone", () => {
  test("on a 24-hour clock", () => {
    expect(en.time(at, "Asia/Seoul")).toBe("15:30:05");
    expect(ko.time(at, "Asia/Seoul")).toBe("15:30:05");
    expect(en.time(at, "America/New_York")).toBe("02:30:05");
    expect(en.minute(Date.UTC(2025, 8, 22, 15), "Asia/Seoul")).toBe("00:00");
  });
  test("with dates in the words of the language", () => {
    expect(en.dateTime(at, "Asia/Seoul")).toBe("Sep 23, 2025, 15:30:05");
    expect(ko.dateTime(at, "Asia/Seoul")).toBe("2025년 9월 23일 15:30:05");
    expect(en.day("2025-09-23")).toBe("Tuesday, September 23, 2025");
    expect(ko.day("2025-09-23")).toBe("2025년 9월 23일 화요일");
    expect(en.month("2025-09")).toBe("September 2025");
    expect(ko.weekdays()).toEqual(["월", "화", "수", "목", "금", "토", "일"]);
  });
  test("with the zone named, and its offset at that time", () => {
    expect(en.zone("Asia/Seoul", at)).toBe("Asia/Seoul (UTC+9)");
    expect(en.zone("Asia/Kolkata", at)).toBe("Asia/Kolkata (UTC+5:30)");
    expect(en.zone("America/New_York", at)).toBe("America/New_York (UTC−4)");
    expect(en.zone("America/New_York", Date.UTC(2025, 11, 1))).toBe("America/New_York (UTC−5)");
    expect(en.zone("UTC", at)).toBe("UTC");
  });
});

test("how long ago", () => {
  const ago = (seconds: number) => en.ago(at, at + seconds * 1000);
  expect([0, 4, 12, 99, 100, 3600, 6000, 47 * 3600, 49 * 3600].map(ago)).toEqual([
    ...["just now", "just now", "12 seconds ago", "99 seconds ago", "2 minutes ago"],
    ...["60 minutes ago", "2 hours ago", "47 hours ago", "2 days ago"],
  ]);
  // A node's clock may be ahead of ours.
  expect(ago(-60)).toBe("just now");
  expect(ko.ago(at, at + 12_000)).toBe("12초 전");
});

test("lengths in two units", () => {
  expect([0, 499, 10_000, 605_000, 3_600_000, 86_399_000, 93_784_000].map(en.duration)).toEqual([
    ...["0 sec", "0 sec", "10 sec", "10 min 5 sec", "1 hr", "23 hr 59 min", "1 day 2 hr"],
  ]);
  expect(ko.duration(605_000)).toBe("10분 5초");
});

test("sizes with three digits at most", () => {
  expect([0, 12, 999, 1000, 1234, 9_949, 9_951, 999_600, 312_456_789, 4.2e12].map(en.size)).toEqual([
    ...["0 byte", "12 byte", "999 byte", "1 kB", "1.2 kB", "9.9 kB", "10 kB", "1 MB", "312 MB", "4.2 TB"],
  ]);
});

test("a share is all or nothing only when it is", () => {
  expect([0, 0.0001, 0.5, 0.9999, 1].map(en.share)).toEqual(["0%", "<1%", "50%", "99%", "100%"]);
});
