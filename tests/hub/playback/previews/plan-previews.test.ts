import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatPreviewsVtt, planPreviews } from "../../../../src/hub/playback/previews/plan-previews.ts";

const hd = { width: 1920, height: 1080 };
const countOf = (durationMs: number, more: { isMock?: true } = {}) =>
  planPreviews({ ...hd, durationMs, ...more }).cues.length;

describe("the plan", () => {
  test("has a picture for every ten seconds, ten in a row", () => {
    const plan = planPreviews({ ...hd, durationMs: 600_000 });
    expect(plan.cues.length).toBe(60);
    expect(plan).toMatchObject({ columns: 10, rows: 6, tileWidth: 160, tileHeight: 90 });
    expect(plan.cues[13]).toEqual({ startMs: 130_000, endMs: 140_000, x: 480, y: 90 });
  });

  test("of what is short, a mock, or a little too long", () => {
    expect([0, 1, 999, 9_999, 10_000, 12_000, 25_000].map((ms) => countOf(ms))).toEqual([
      1, 1, 1, 1, 1, 2, 3,
    ]);
    expect(countOf(600_000, { isMock: true })).toBe(1);
    // A segment of ten minutes is now and then some frames longer: no picture for those.
    expect([599_960, 600_040, 600_999, 602_000].map((ms) => countOf(ms))).toEqual([60, 60, 60, 61]);
  });

  for (const [width, height, tileWidth, tileHeight] of [
    [1280, 720, 160, 90],
    [640, 480, 160, 120],
    [1080, 1920, 160, 284],
    [32, 16, 160, 80],
    [8192, 16, 160, 2],
    [16, 8192, 2, 320],
    [1366, 768, 160, 90],
  ] as const) {
    test(`fits ${width}x${height} into ${tileWidth}x${tileHeight}`, () => {
      expect(planPreviews({ width, height, durationMs: 1 })).toMatchObject({ tileWidth, tileHeight });
    });
  }

  test("covers any video without holes, each cue with a place of its own", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 * 365 * 86_400_000 }),
        fc.integer({ min: 1, max: 65_535 }),
        fc.integer({ min: 1, max: 65_535 }),
        (durationMs, width, height) => {
          const { cues, columns, rows, tileWidth, tileHeight } = planPreviews({ durationMs, width, height });
          expect([cues[0]?.startMs, cues.at(-1)?.endMs]).toEqual([0, Math.max(1, durationMs)]);
          for (const [i, { startMs, endMs }] of cues.entries()) {
            expect(endMs).toBeGreaterThan(startMs);
            if (i > 0) expect(startMs).toBe(cues[i - 1]!.endMs);
          }
          expect(new Set(cues.map(({ x, y }) => `${x},${y}`)).size).toBe(cues.length);
          expect(Math.max(...cues.map(({ x }) => x + tileWidth))).toBe(columns * tileWidth);
          expect(Math.max(...cues.map(({ y }) => y + tileHeight))).toBe(rows * tileHeight);
          // What a JPEG can be.
          expect(rows * tileHeight).toBeLessThan(65_536);
          expect([tileWidth % 2, tileHeight % 2]).toEqual([0, 0]);
        },
      ),
    );
  });
});

test("the index is WebVTT", () => {
  const plan = planPreviews({ ...hd, durationMs: 25_250 });
  expect(formatPreviewsVtt(plan, "/p.jpg")).toBe(`WEBVTT

00:00:00.000 --> 00:00:10.000
/p.jpg#xywh=0,0,160,90

00:00:10.000 --> 00:00:20.000
/p.jpg#xywh=160,0,160,90

00:00:20.000 --> 00:00:25.250
/p.jpg#xywh=320,0,160,90
`);
  expect(formatPreviewsVtt(planPreviews({ ...hd, durationMs: 400 * 3_600_000 }), "p")).toContain(
    "--> 400:00:00.000\n",
  );
});
