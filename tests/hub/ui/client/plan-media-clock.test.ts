import { describe, expect, test } from "bun:test";
import { findMoment, planStretches, wallOf } from "../../../../src/hub/ui/client/player/plan-media-clock.ts";

const part = (start: number, duration: number, programDateTime: number | null, cc = 0) => ({
  ...{ start, duration, programDateTime, cc },
});

/** Twelve seconds from 10,000 on, then what was recorded half a minute later. */
const stretches = planStretches([
  part(0, 6, 10_000),
  // A rounding.
  part(6, 6, 16_004),
  part(12, 5, 52_000, 1),
]);

describe("the clocks of a player", () => {
  test("are joined where both run on, and only there", () => {
    expect(stretches).toEqual([
      { start: 0, seconds: 12, wallMs: 10_000 },
      { start: 12, seconds: 5, wallMs: 52_000 },
    ]);
    // A step of the clock within a run.
    expect(planStretches([part(0, 6, 10_000), part(6, 6, 17_000)])).toHaveLength(2);
    expect(planStretches([part(0, 6, null)])).toEqual([]);
  });

  test("tell when a moment of the player was", () => {
    expect([0, 6.5, 12, 14, 17].map((seconds) => wallOf(stretches, seconds))).toEqual([
      ...[10_000, 16_500, 52_000, 54_000, 57_000],
    ]);
    // Sent to the beginning of a stretch, a player may stand a little before it.
    expect(wallOf(stretches, 11.999)).toBe(52_000);
    // Before the beginning and after the end it stands.
    expect([wallOf(stretches, -1), wallOf(stretches, 99), wallOf([], 1)]).toEqual([
      10_000,
      57_000,
      undefined,
    ]);
  });

  test("find a moment, or the next one that is there", () => {
    expect(findMoment(stretches, 16_500)).toEqual({ seconds: 6.5, wallMs: 16_500 });
    expect(findMoment(stretches, 30_000)).toEqual({ seconds: 12, wallMs: 52_000 });
    expect(findMoment(stretches, 0)).toEqual({ seconds: 0, wallMs: 10_000 });
    expect(findMoment(stretches, 57_000)).toBeUndefined();
  });

  test("go there and back", () => {
    for (let wallMs = 10_000; wallMs < 57_000; wallMs += 77) {
      const found = findMoment(stretches, wallMs);
      expect(wallOf(stretches, found?.seconds ?? -1)).toBeCloseTo(found?.wallMs ?? -1, 3);
    }
  });
});
