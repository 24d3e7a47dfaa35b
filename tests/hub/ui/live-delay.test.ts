import { describe, expect, test } from "bun:test";
import { LiveDelay } from "../../../src/hub/ui/client/live-delay.ts";

/** Plays what comes: a fragment of `seconds` at each of the times, which lie `seconds` apart but for what they are late. */
function play(lateSeconds: readonly number[], { seconds = 1, startedAt = 0 } = {}) {
  const delay = new LiveDelay();
  const spares: number[] = [];
  const jumps: number[] = [];
  let [position, end, rate, now, waited] = [startedAt, seconds, 1, seconds, 0];
  for (const [i, late] of lateSeconds.entries()) {
    const at = seconds * (i + 2) + late;
    const shown = position + rate * (at - now);
    waited += Math.max(0, shown - end) / rate;
    position = Math.min(end, shown);
    now = at;
    const spare = end - position;
    const correction = delay.next(spare, seconds);
    end += seconds;
    position += correction.jumpSeconds;
    rate = correction.rate;
    spares.push(spare);
    if (correction.jumpSeconds > 0) jumps.push(i);
  }
  return { spares, jumps, waited };
}

const times = (count: number, late: (i: number) => number = () => 0) =>
  Array.from({ length: count }, (_, i) => late(i));

describe("how late a live picture is", () => {
  test("soon a fragment and a moment, however old the first picture was; after one jump it is only nudged", () => {
    const { spares, jumps, waited } = play(times(30), { startedAt: -0.9 });
    expect(jumps).toEqual([0]);
    expect(waited).toBe(0);
    for (const spare of spares.slice(1)) expect(spare).toBeCloseTo(0.2, 1);
  });

  test("fragments of ten seconds and of a third are followed as well", () => {
    for (const seconds of [10, 1 / 3]) {
      const { spares, jumps } = play(times(60), { seconds });
      expect(jumps).toEqual([]);
      for (const spare of spares.slice(20)) expect(Math.abs(spare - 0.2)).toBeLessThan(0.1);
    }
  });

  test("a wire with fits and starts makes it later until nothing is waited for, and a steady one nearer again", () => {
    const jitter = (i: number) => (i % 3) * 0.25;
    const rough = play(times(100, jitter));
    expect(rough.jumps).toEqual([]);
    expect(play(times(200, jitter)).waited).toBe(rough.waited);
    const calm = play([...times(100, jitter), ...times(200)]);
    expect(calm.spares.at(-1)).toBeLessThan(0.3);
  });

  test("after an outage it jumps back to what is now", () => {
    const outage = [...times(10), 5, 4, 3, 2, 1, ...times(10)];
    const { jumps, spares } = play(outage);
    expect(jumps.length).toBeGreaterThan(0);
    expect(spares.at(-1)).toBeLessThan(0.5);
  });
});
