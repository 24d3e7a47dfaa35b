import { expect, test } from "bun:test";
import fc from "fast-check";
import { planCoverage } from "../../src/hub/plan-coverage.ts";

const range = { fromMs: 0, toMs: 10_000 };
const nothing = { videos: [], lost: [], gaps: [] };

test("holes say why, as far as anybody knows", () => {
  const coverage = planCoverage(range, {
    videos: [
      { fromMs: -500, toMs: 2_000 },
      { fromMs: 2_050, toMs: 4_000 },
      { fromMs: 9_000, toMs: 12_000 },
    ],
    lost: [{ fromMs: 4_000, toMs: 5_000, status: "damaged" }],
    gaps: [{ fromMs: 4_500, toMs: 7_000, cause: "camera_failed", detail: "no data" }],
  });
  expect(coverage).toEqual({
    recordedMs: 5_000,
    missing: [
      { fromMs: 4_000, toMs: 5_000, cause: "video_damaged", detail: "" },
      { fromMs: 5_000, toMs: 7_000, cause: "camera_failed", detail: "no data" },
      { fromMs: 7_000, toMs: 9_000, cause: "unknown", detail: "" },
    ],
    untoldMs: 2_000,
  });
});

test("everything and nothing", () => {
  expect(planCoverage(range, { ...nothing, videos: [{ fromMs: 0, toMs: 10_000 }] })).toEqual({
    recordedMs: 10_000,
    missing: [],
    untoldMs: 0,
  });
  expect(planCoverage(range, nothing)).toEqual({
    recordedMs: 0,
    missing: [{ ...range, cause: "unknown", detail: "" }],
    untoldMs: 10_000,
  });
});

test("recorded and missing are the range, whatever overlaps", () => {
  const span = fc
    .tuple(fc.integer({ min: -50, max: 150 }), fc.integer({ min: 1, max: 60 }))
    .map(([from, length]) => ({
      fromMs: from * 100,
      toMs: (from + length) * 100,
    }));
  const spans = fc.array(span, { maxLength: 12 });
  fc.assert(
    fc.property(spans, spans, spans, (videos, gaps, lost) => {
      const { recordedMs, missing } = planCoverage(range, {
        videos,
        gaps: gaps.map((gap) => ({ ...gap, cause: "paused", detail: "" })),
        lost: lost.map((video) => ({ ...video, status: "missing" })),
      });
      const missingMs = missing.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      expect(recordedMs + missingMs).toBe(10_000);
      for (const [i, { fromMs, toMs }] of missing.entries()) {
        expect(fromMs).toBeGreaterThanOrEqual(missing[i - 1]?.toMs ?? 0);
        expect(videos.some((video) => video.fromMs < toMs && video.toMs > fromMs)).toBe(false);
      }
    }),
  );
});
