import { expect, test } from "bun:test";
import fc from "fast-check";
import type { GapCause } from "../../../src/common/protocol/gap.ts";
import { holesBetween, planGaps } from "../../../src/edge/spool/plan-gaps.ts";

const startMs = Date.parse("2025-09-23T06:00:00Z");
const causes = ["camera_failed", "paused", "disk_full", "node_down"] as const;

/** Parts of so many ms, told as `cause length`. */
function plan(...lengths: [GapCause, number][]): string[] {
  let fromMs = startMs;
  const parts = lengths.map(([cause, length]) => {
    const part = { fromMs, cause, detail: cause, wallOffsetMs: 0 };
    fromMs += length;
    return part;
  });
  const spans = planGaps(parts, { toMs: fromMs, wallOffsetMs: 0, leastMs: 100 });
  return spans.map((span) => `${span.cause} ${span.toMs - span.fromMs}`);
}

test.each<[[GapCause, number][], string[]]>([
  [[["camera_failed", 99]], []],
  [[["camera_failed", 100]], ["camera_failed 100"]],
  // A short pause: the run's end before and the first picture after it are no failures.
  [
    [
      ["camera_failed", 5],
      ["paused", 1000],
      ["camera_failed", 300],
    ],
    ["paused 1305"],
  ],
  // A quick restart, and what the camera takes to start.
  [
    [
      ["node_stopped", 1000],
      ["camera_failed", 4000],
    ],
    ["node_stopped 5000"],
  ],
  [
    [
      ["camera_failed", 60_000],
      ["paused", 9_999],
    ],
    ["camera_failed 69999"],
  ],
  [
    [
      ["camera_failed", 60_000],
      ["paused", 10_000],
    ],
    ["camera_failed 60000", "paused 10000"],
  ],
  [
    [
      ["camera_failed", 9000],
      ["disk_full", 60_000],
    ],
    ["disk_full 69000"],
  ],
  [
    [
      ["node_down", 9000],
      ["camera_failed", 60_000],
    ],
    ["camera_failed 69000"],
  ],
])("%p is told as %p", (parts, told) => {
  expect(plan(...parts)).toEqual(told);
});

test("ends where footage begins, though that is before the call that asked for it", () => {
  const part = (ms: number, cause: GapCause) => ({
    ...{ fromMs: startMs + ms, cause, detail: "", wallOffsetMs: 0 },
  });
  const parts = [part(0, "camera_failed"), part(5, "paused"), part(1000, "camera_failed")];
  const [span, ...others] = planGaps(parts, { toMs: startMs + 800, wallOffsetMs: 0, leastMs: 100 });
  expect(others).toEqual([]);
  expect(span).toMatchObject({ fromMs: startMs, toMs: startMs + 800, cause: "paused" });
});

test("spans follow each other without a hole from the first part to the end, none of them short but a lone one", () => {
  const parts = fc.array(fc.tuple(fc.constantFrom(...causes), fc.integer({ min: 0, max: 30_000 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(parts, (lengths) => {
      const total = lengths.reduce((sum, [, length]) => sum + length, 0);
      const told = plan(...lengths).map((text) => text.split(" ") as [GapCause, string]);
      const sum = told.reduce((ms, [, length]) => ms + Number(length), 0);
      expect(sum).toBe(total < 100 ? 0 : total);
      if (told.length > 1)
        for (const [, length] of told) expect(Number(length)).toBeGreaterThanOrEqual(10_000);
      for (const [cause] of told) expect(lengths.some(([one]) => one === cause)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("holes and spans together are the whole, and do not overlap", () => {
  const span = fc
    .tuple(fc.nat(100), fc.nat(30))
    .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.array(span), (fromMs, length, spans) => {
      const toMs = fromMs + length;
      const holes = holesBetween(fromMs, toMs, spans);
      for (let ms = fromMs; ms < toMs; ms++) {
        const isIn = (one: { fromMs: number; toMs: number }) => one.fromMs <= ms && ms < one.toMs;
        expect(holes.filter(isIn).length).toBe(spans.some(isIn) ? 0 : 1);
      }
      expect(
        holes.every((hole) => hole.fromMs >= fromMs && hole.toMs <= toMs && hole.fromMs < hole.toMs),
      ).toBe(true);
    }),
    { numRuns: 500 },
  );
});
