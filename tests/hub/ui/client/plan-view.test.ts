import { describe, expect, test } from "bun:test";
import { planBars } from "../../../../src/hub/ui/client/player/plan-bars.ts";
import { planStep } from "../../../../src/hub/ui/client/player/plan-step.ts";
import { following, moved, planTicks, zoomed } from "../../../../src/hub/ui/client/player/plan-view.ts";

const hour = 3_600_000;
const day = 24 * hour;
const within = { fromMs: 0, toMs: 10 * day };
const today = { fromMs: 5 * day, toMs: 6 * day };

describe("the part of time that is seen", () => {
  test("is made shorter around a moment that stays where it is", () => {
    const view = zoomed(today, 0.5, 5.25 * day, within);
    expect(view).toEqual({ fromMs: 5.125 * day, toMs: 5.625 * day });
    expect(zoomed(view, 2, 5.25 * day, within)).toEqual(today);
  });

  test("is never shorter than can be used, longer than a week, or outside of what there is", () => {
    const length = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => toMs - fromMs;
    expect(length(zoomed(today, 1e-9, 5.5 * day, within))).toBeCloseTo(30_000, 3);
    expect(length(zoomed(today, 1e9, 5.5 * day, within))).toBe(7 * day);
    const little = { fromMs: 5 * day, toMs: 6.5 * day };
    expect(zoomed(today, 1e9, 5.5 * day, little)).toEqual(little);
    expect(moved(today, 100 * day, within)).toEqual({ fromMs: 9 * day, toMs: 10 * day });
    expect(moved(today, -100 * day, within)).toEqual({ fromMs: 0, toMs: day });
    // More than there is: from the beginning on.
    expect(moved(today, 0, { fromMs: 5.5 * day, toMs: 5.6 * day }).fromMs).toBe(5.5 * day);
  });

  test("goes a page on where the moment leaves it", () => {
    expect(following(today, 5.5 * day, within)).toBe(today);
    expect(following(today, 6 * day, within).fromMs).toBeCloseTo(5.9 * day, 3);
  });

  test("has round times of its zone, no more than have room", () => {
    const offset = 9 * hour;
    const ticks = planTicks({ fromMs: -offset, toMs: day - offset }, 960, offset);
    expect(ticks).toHaveLength(12);
    expect(ticks[0]).toEqual({ atMs: -offset, unit: "day" });
    expect(ticks[1]).toEqual({ atMs: 2 * hour - offset, unit: "minute" });
    expect(planTicks({ fromMs: 1_500, toMs: 31_500 }, 960, 0)[0]).toEqual({ atMs: 5_000, unit: "second" });
    for (const width of [200, 360, 1440]) {
      for (const length of [30_000, hour, day, 7 * day]) {
        const count = planTicks({ fromMs: 0, toMs: length }, width, 0).length;
        expect(count).toBeLessThanOrEqual(Math.ceil(width / 72));
        expect(count).toBeGreaterThan(0);
      }
    }
  });
});

describe("the bars", () => {
  test("are cut to the view, wide enough to be seen, and joined where they would touch", () => {
    const view = { fromMs: 0, toMs: 1_000 };
    const spans = [
      { fromMs: -500, toMs: 100 },
      { fromMs: 500, toMs: 500.01 },
      { fromMs: 502, toMs: 600 },
      { fromMs: 2_000, toMs: 3_000 },
    ];
    expect(planBars(spans, view, 100)).toEqual([
      { x: 0, width: 10 },
      { x: 50, width: 10 },
    ]);
  });

  test("of ten thousand spans are no more than pixels", () => {
    const spans = Array.from({ length: 10_000 }, (_, i) => ({ fromMs: i * 8_640, toMs: i * 8_640 + 4_000 }));
    expect(planBars(spans, { fromMs: 0, toMs: day }, 1_000).length).toBeLessThan(340);
    expect(planBars(spans, { fromMs: 0, toMs: hour / 4 }, 1_000)).toHaveLength(105);
  });
});

describe("a player that follows another", () => {
  test("does nothing, goes a little faster or slower, or seeks", () => {
    expect(planStep(10, 1, true)).toEqual({ do: "nothing", rate: 1 });
    expect(planStep(200, 1, true)).toEqual({ do: "nudge", rate: 1.06 });
    expect(planStep(-200, 1, true)).toEqual({ do: "nudge", rate: 0.94 });
    expect(planStep(5_000, 1, true)).toEqual({ do: "seek" });
    // Four times as fast, what is four times as far is as near.
    expect(planStep(2_000, 4, true)).toMatchObject({ do: "nudge" });
    // Standing still it cannot catch up.
    expect(planStep(200, 1, false)).toEqual({ do: "seek" });
    expect(planStep(20, 1, false)).toEqual({ do: "nothing", rate: 1 });
  });

  test("comes nearer with each step", () => {
    for (const start of [-650, -100, 100, 650]) {
      let behind = start;
      for (let i = 0; i < 200; i++) {
        const step = planStep(behind, 1, true);
        if (step.do !== "seek") behind -= (step.rate - 1) * 100;
      }
      expect(Math.abs(behind)).toBeLessThanOrEqual(46);
    }
  });
});
