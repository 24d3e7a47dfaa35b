import { expect, test } from "bun:test";
import { neighbourDays, planCalendar } from "../../../src/hub/ui/plan-calendar.ts";

const days = ["2025-11-02", "2025-09-30", "2025-09-23", "2025-09-01", "2025-07-04", "2025-06-30"];

test("a month that begins on its weekday, with its days of video", () => {
  const { month, cells, earlier, later } = planCalendar("2025-09-23", days);
  // 2025-09-01 was a Monday, 2025-11-01 a Saturday, 2024-02-29 exists.
  expect([month, cells.length, cells[0]?.dayOfMonth]).toEqual(["2025-09", 30, 1]);
  expect(cells.filter((cell) => cell?.hasVideo).map((cell) => cell?.dayOfMonth)).toEqual([1, 23, 30]);
  expect([earlier, later]).toEqual(["2025-07-04", "2025-11-02"]);
  expect(planCalendar("2025-11-20", days).cells.slice(0, 6)).toEqual([
    ...Array(5).fill(undefined),
    expect.anything(),
  ]);
  expect(planCalendar("2024-02-01", days).cells.at(-1)?.day).toBe("2024-02-29");
  expect(planCalendar("2024-02-01", days)).toMatchObject({ earlier: undefined, later: "2025-06-30" });
});

test("the next days with video, from a day with or without", () => {
  expect(neighbourDays("2025-09-23", days)).toEqual({ previous: "2025-09-01", next: "2025-09-30" });
  expect(neighbourDays("2025-08-15", days)).toEqual({ previous: "2025-07-04", next: "2025-09-01" });
  expect(neighbourDays("2025-11-02", days)).toEqual({ previous: "2025-09-30", next: undefined });
  expect(neighbourDays("2025-11-02", [])).toEqual({ previous: undefined, next: undefined });
});
