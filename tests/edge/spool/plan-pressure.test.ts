import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { horizonMsOf, type PressureInput, planPressure } from "../../../src/edge/spool/plan-pressure.ts";

const segments = (prefix: string) =>
  fc
    .array(fc.integer({ min: 1, max: 3_000_000_000 }), { maxLength: 20 })
    .map((sizes) => sizes.map((sizeBytes, i) => ({ videoId: `${prefix}${i}`, sizeBytes })));

const inputs: fc.Arbitrary<PressureInput & { disk: { totalBytes: number; freeBytes: number } }> = fc
  .record({
    totalBytes: fc.integer({ min: 0, max: 64_000_000_000 }),
    free: fc.double({ min: 0, max: 1, noNaN: true }),
    // Most of what matters happens when little is free.
    exponent: fc.integer({ min: 1, max: 6 }),
    acknowledged: segments("a"),
    unsent: segments("u"),
    maxAcknowledgedBytes: fc.integer({ min: 0, max: 40_000_000_000 }),
    bytesPerSecond: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000_000 })),
    whenFull: fc.constantFrom("stop_recording" as const, "overwrite_oldest_unsent" as const),
    before: fc.record({ isCompressed: fc.boolean(), isFull: fc.boolean() }),
  })
  .map(({ totalBytes, free, exponent, ...rest }) => ({
    ...rest,
    disk: { totalBytes, freeBytes: Math.floor(totalBytes * free ** exponent) },
  }));

type Plan = ReturnType<typeof planPressure>;

/** The disk and the segments after the plan was carried out. */
function carriedOut(input: PressureInput & { disk: { totalBytes: number; freeBytes: number } }, plan: Plan) {
  const gone = new Set([...plan.evict, ...plan.overwrite]);
  const all = [...input.acknowledged, ...input.unsent];
  const freed = all.reduce((sum, { videoId, sizeBytes }) => sum + (gone.has(videoId) ? sizeBytes : 0), 0);
  return {
    ...input,
    disk: { ...input.disk, freeBytes: input.disk.freeBytes + freed },
    acknowledged: input.acknowledged.filter(({ videoId }) => !gone.has(videoId)),
    unsent: input.unsent.filter(({ videoId }) => !gone.has(videoId)),
    before: plan,
  };
}

describe("planPressure", () => {
  test("deletes the oldest first, and what is not acknowledged only where that is wanted and nothing else is left", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { evict, overwrite } = planPressure(input);
        const ids = (list: typeof input.unsent) => list.map(({ videoId }) => videoId);
        expect(evict).toEqual(ids(input.acknowledged).slice(0, evict.length));
        expect(overwrite).toEqual(ids(input.unsent).slice(0, overwrite.length));
        if (input.whenFull === "stop_recording") expect(overwrite).toEqual([]);
        if (overwrite.length > 0) expect(evict).toHaveLength(input.acknowledged.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("stops only on a full disk that nothing can be taken from, and never when overwriting makes room", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = planPressure(input);
        if (!plan.isStopped) return;
        expect(plan.evict).toHaveLength(input.acknowledged.length);
        if (input.whenFull === "overwrite_oldest_unsent") {
          expect(plan.overwrite).toHaveLength(input.unsent.length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("is content with what it has done: the same again does nothing more and changes no step", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const first = planPressure(input);
        const second = planPressure(carriedOut(input, first));
        expect(second).toEqual({ ...first, evict: [], overwrite: [] });
      }),
      { numRuns: 2000 },
    );
  });

  test("does not flap: between the room at which a step begins and that at which it ends, it stays as it was", () => {
    const flips = (input: Parameters<typeof carriedOut>[0], before: PressureInput["before"]) => {
      const plan = planPressure({ ...input, acknowledged: [], unsent: [], before });
      return { isCompressed: plan.isCompressed, isFull: plan.isFull };
    };
    // Chance finds it once in many runs.
    const nothingToOverwrite: [Parameters<typeof carriedOut>[0], number] = [
      {
        ...{ acknowledged: [], unsent: [], maxAcknowledgedBytes: 0, bytesPerSecond: 2 },
        ...{ whenFull: "overwrite_oldest_unsent", before: { isCompressed: false, isFull: false } },
        disk: { totalBytes: 31_145_502_524, freeBytes: 500_000_120 },
      },
      1,
    ];
    fc.assert(
      fc.property(inputs, fc.integer({ min: 0, max: 60 }), (input, seconds) => {
        const fills = { ...input.disk, freeBytes: input.disk.freeBytes - seconds * input.bytesPerSecond };
        const calm = { isCompressed: false, isFull: false };
        const now = flips(input, calm);
        const later = flips({ ...input, disk: fills }, now);
        // What began while the disk filled has not ended when so much is free again as before.
        const again = flips(input, later);
        if (later.isFull && seconds * input.bytesPerSecond < input.disk.totalBytes * 0.01)
          expect(again.isFull).toBe(true);
        if (later.isCompressed && seconds * input.bytesPerSecond < input.disk.totalBytes * 0.01)
          expect(again.isCompressed || input.bytesPerSecond === 0).toBe(true);
      }),
      { numRuns: 5000, examples: [nothingToOverwrite] },
    );
  });

  test("goes by the time that is left: the same disk is full for one camera sooner than for none", () => {
    const disk = { totalBytes: 64_000_000_000, freeBytes: 5_000_000_000 };
    const input: PressureInput = {
      ...{ disk, acknowledged: [], unsent: [], maxAcknowledgedBytes: 0, whenFull: "stop_recording" },
      ...{ bytesPerSecond: 500_000, before: { isCompressed: false, isFull: false } },
    };
    expect(planPressure(input)).toMatchObject({ isCompressed: false, isStopped: false });
    expect(planPressure({ ...input, bytesPerSecond: 2_000_000 })).toMatchObject({ isCompressed: true });
    const nearlyFull = { ...disk, freeBytes: 560_000_000 };
    expect(planPressure({ ...input, disk: nearlyFull })).toMatchObject({ isStopped: false });
    expect(planPressure({ ...input, disk: nearlyFull, bytesPerSecond: 2_000_000 })).toMatchObject({
      isStopped: true,
    });
  });
});

test("the horizon is the room that recording may use, at today's bitrate", () => {
  const disk = { totalBytes: 64_000_000_000, freeBytes: 20_500_000_000 };
  const day = 86_400_000;
  expect(horizonMsOf({ disk, acknowledgedBytes: 0, bytesPerSecond: 20e9 / 86_400 })).toBe(day);
  expect(horizonMsOf({ disk, acknowledgedBytes: 20e9, bytesPerSecond: 20e9 / 86_400 })).toBe(2 * day);
  expect(horizonMsOf({ disk: { ...disk, freeBytes: 1 }, acknowledgedBytes: 0, bytesPerSecond: 1 })).toBe(0);
  expect(horizonMsOf({ disk, acknowledgedBytes: 0, bytesPerSecond: 0 })).toBeUndefined();
});
