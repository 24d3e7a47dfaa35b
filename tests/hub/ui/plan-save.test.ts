import { expect, test } from "bun:test";
import { planSave } from "../../../src/hub/ui/plan-save.ts";

const range = (day: string, from: string, to: string, zone: string) => {
  const { fromMs, toMs } = planSave({ day, from, to }, zone);
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
};

test("a range of a day is by the clock on the wall there", () => {
  expect(range("2025-09-23", "15:30", "15:45:07", "Asia/Seoul")).toEqual([
    "2025-09-23T06:30:00.000Z",
    "2025-09-23T06:45:07.000Z",
  ]);
});

test("an end that is not after the start is on the next day", () => {
  expect(range("2025-12-31", "23:30", "00:30", "UTC")).toEqual([
    "2025-12-31T23:30:00.000Z",
    "2026-01-01T00:30:00.000Z",
  ]);
});

test("in the hour that comes twice the longest range is meant, in the one that is skipped as much later", () => {
  expect(range("2025-10-26", "02:30", "02:45", "Europe/Berlin")).toEqual([
    "2025-10-26T00:30:00.000Z",
    "2025-10-26T01:45:00.000Z",
  ]);
  expect(range("2025-03-30", "02:30", "03:45", "Europe/Berlin")).toEqual([
    "2025-03-30T01:30:00.000Z",
    "2025-03-30T01:45:00.000Z",
  ]);
});
