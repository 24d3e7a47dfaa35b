import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chooseHours, planDay, spanOfDay } from "../../../src/hub/ui/plan-day.ts";
import { videoAt } from "./page-data.ts";

const hourMs = 3_600_000;

describe("a local day", () => {
  test("is 24 hours long, but where the clocks change", () => {
    const hoursOf = (day: string, zone: string) => {
      const { fromMs, toMs } = spanOfDay(day, zone);
      return planDay({ day: { fromMs, toMs }, videos: [], nowMs: 0 }).hours.length;
    };
    expect(hoursOf("2025-09-23", "Asia/Seoul")).toBe(24);
    expect(hoursOf("2025-03-30", "Europe/Berlin")).toBe(23);
    expect(hoursOf("2025-10-26", "Europe/Berlin")).toBe(25);
    expect(spanOfDay("2025-09-23", "Asia/Seoul").fromMs).toBe(Date.UTC(2025, 8, 22, 15));
    expect(spanOfDay("2025-12-31", "UTC").toMs).toBe(Date.UTC(2026, 0, 1));
  });
});

describe("what of it is recorded", () => {
  const day = spanOfDay("2025-09-23", "Asia/Seoul");
  const plan = (videos: ReturnType<typeof videoAt>[], nowMs = day.toMs) => planDay({ day, videos, nowMs });

  test("neighbours with less than a second between them are one bar, and the hole still counts", () => {
    const { hours, recordedMs } = plan([
      videoAt(day.fromMs, { durationMs: 60_000 }),
      videoAt(day.fromMs + 60_400, { durationMs: 60_000 }),
      videoAt(day.fromMs + 300_000, { durationMs: 60_000 }),
    ]);
    expect(hours[0]?.spans).toEqual([
      { fromMs: day.fromMs, toMs: day.fromMs + 120_400 },
      { fromMs: day.fromMs + 300_000, toMs: day.fromMs + 360_000 },
    ]);
    expect(recordedMs).toBe(180_000);
  });

  test("what is no footage is shown, and does not count", () => {
    const { hours, recordedMs } = plan([
      videoAt(day.fromMs),
      videoAt(day.fromMs + 600_000, { isMock: true }),
    ]);
    expect(hours[0]?.spans).toEqual([{ fromMs: day.fromMs, toMs: day.fromMs + 600_000 }]);
    expect(hours[0]?.videos.length).toBe(2);
    expect(recordedMs).toBe(600_000);
  });

  test("videos of the day before and into the day after count as far as they reach", () => {
    const { hours, recordedMs } = plan([videoAt(day.fromMs - 300_000), videoAt(day.toMs - 300_000)]);
    expect(recordedMs).toBe(600_000);
    expect(hours.map(({ videos }) => videos.length)).toEqual([1, ...Array(22).fill(0), 1]);
  });

  test("files that are not there are shown, and not counted", () => {
    const { hours, recordedMs } = plan([videoAt(day.fromMs, { status: "missing" })]);
    expect([recordedMs, hours[0]?.videos.length]).toEqual([0, 1]);
  });

  test("of today, as much as is over", () => {
    expect(plan([], day.fromMs + 5 * hourMs)).toMatchObject({ elapsedMs: 5 * hourMs, isOver: false });
    expect(plan([], day.fromMs - 1)).toMatchObject({ elapsedMs: 0, isOver: false });
    expect(plan([])).toMatchObject({ elapsedMs: 24 * hourMs, isOver: true });
  });

  test("every recorded minute counts once, whatever overlaps", () => {
    const minute = fc.integer({ min: -100, max: 1600 });
    fc.assert(
      fc.property(fc.array(fc.tuple(minute, fc.integer({ min: 1, max: 200 })), { maxLength: 20 }), (list) => {
        const videos = list
          .map(([start, minutes]) => videoAt(day.fromMs + start * 60_000, { durationMs: minutes * 60_000 }))
          .sort((a, b) => a.startTimeMs - b.startTimeMs);
        const covered = new Set<number>();
        for (const [start, minutes] of list) for (let i = start; i < start + minutes; i++) covered.add(i);
        const expected = [...covered].filter((i) => i >= 0 && i < 1440).length * 60_000;
        const { hours, recordedMs } = plan(videos);
        expect(recordedMs).toBe(expected);
        expect(hours.reduce((sum, hour) => sum + hour.recordedMs, 0)).toBe(expected);
        for (const { spans, fromMs, toMs } of hours) {
          for (const span of spans)
            expect(span.fromMs >= fromMs && span.toMs <= toMs && span.fromMs < span.toMs).toBe(true);
        }
      }),
    );
  });

  test("a day of many videos is shown by the hour", () => {
    const many = Array.from({ length: 720 }, (_, i) =>
      videoAt(day.fromMs + i * 10_000, { durationMs: 10_000 }),
    );
    const busy = plan(many);
    expect(chooseHours(busy, undefined).map(({ index }) => index)).toEqual([1]);
    expect(chooseHours(busy, 0).map(({ index }) => index)).toEqual([0]);
    expect(chooseHours(busy, 24).map(({ index }) => index)).toEqual([1]);
    expect(chooseHours(plan(many.slice(0, 200)), 0)).toHaveLength(24);
  });
});
