import { expect, test } from "bun:test";
import type { Gap, Video } from "../../../src/hub/db/catalog.ts";
import { readCoverage } from "../../../src/hub/export/range-coverage.ts";
import { planDay } from "../../../src/hub/ui/plan-day.ts";
import { planGaps } from "../../../src/hub/ui/plan-gaps.ts";
import { videoAt } from "../ui/page-data.ts";

test("what an export counts as recorded and as missing is what the page of the day counts", async () => {
  const day = { fromMs: Date.UTC(2025, 8, 21, 15), toMs: Date.UTC(2025, 8, 22, 15) };
  const at = (minutes: number) => day.fromMs + minutes * 60_000;
  const videos = [
    videoAt(at(0)),
    { ...videoAt(at(10)), isMock: true as const },
    { ...videoAt(at(20)), status: "damaged" as const },
    videoAt(at(40)),
  ];
  const gap = { fromMs: at(10), toMs: at(20), cause: "camera_failed" as const, detail: "no picture" };
  const { coverage } = await readCoverage(
    {
      findVideos: async () => videos as unknown as Video[],
      findGaps: async () => [{ ...gap, gapId: "g", cameraId: "cam01" }] as unknown as Gap[],
    },
    { cameraId: "cam01", ...day },
    { maxItems: 100, tooMany: () => new Error("too many") },
  );
  expect(coverage.missing.slice(0, 3).map(({ cause, from_time }) => [cause, Date.parse(from_time)])).toEqual([
    ["camera_failed", at(10)],
    ["video_damaged", at(20)],
    ["unknown", at(30)],
  ]);
  const plan = planDay({ day, videos, nowMs: day.toMs });
  expect(coverage.recorded_ms).toBe(plan.recordedMs);
  expect(plan.recordedMs).toBe(20 * 60_000);
  expect(planGaps(plan, [gap]).missingMs).toBe(20 * 60_000);
});
