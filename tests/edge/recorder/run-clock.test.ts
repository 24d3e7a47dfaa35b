import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RunClock } from "../../../src/edge/recorder/run-clock.ts";

const wall0 = Date.parse("2025-09-23T06:30:00.000Z");

/** A source with a keyframe every second whose media starts at `wall0`, which is monotonic 100,000. */
function arrival(mediaEndMs: number, delayMs: number, wallStepMs = 0) {
  const monotonicMs = 100_000 + mediaEndMs + delayMs;
  return { mediaEndMs, monotonicMs, wallMs: wall0 + mediaEndMs + delayMs + wallStepMs };
}

describe("a run's clock", () => {
  test("is anchored by the least delay, not by the burst at the start", () => {
    // Five fragments are there at once, after the source was looked at for five seconds; later ones come in 80 ms.
    const clock = new RunClock(arrival(1000, 4_000));
    for (const [media, delay] of [
      [2000, 3_000],
      [3000, 2_000],
      [4000, 1_000],
      [5000, 80],
      [6000, 90],
    ] as const) {
      clock.observe(arrival(media, delay));
    }
    expect(clock.wallAt(0)).toBe(wall0 + 80);
  });

  test("moves by little, whatever the delays do, once it has settled", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 50, max: 5_000 }), { minLength: 60, maxLength: 300 }),
        (delays) => {
          const clock = new RunClock(arrival(1000, 50));
          for (let media = 2000; media <= 12_000; media += 1000) clock.observe(arrival(media, 60));
          let before = clock.wallAt(0);
          for (const [i, delay] of delays.entries()) {
            clock.observe(arrival(13_000 + i * 1000, delay));
            const now = clock.wallAt(0);
            // Never more than a minute's share of the largest deviation in one second.
            expect(Math.abs(now - before)).toBeLessThanOrEqual(5_000 / 60 + 1);
            before = now;
          }
        },
      ),
    );
  });

  test("follows a camera whose seconds are too long, without a jump", () => {
    const clock = new RunClock(arrival(1000, 50));
    let largest = 0;
    // 100 ppm for six hours: two seconds in all.
    for (let media = 2000; media <= 6 * 3_600_000; media += 1000) {
      expect(clock.observe(arrival(media, 50 + media * 0.0001))).toBe(true);
      largest = Math.max(largest, Math.abs(clock.wallAt(media) - (wall0 + media + 50 + media * 0.0001)));
    }
    expect(largest).toBeLessThan(50);
  });

  test("a machine that stood still for a minute delivers late, and the clock does not care", () => {
    const clock = new RunClock(arrival(1000, 50));
    for (let media = 2000; media <= 40_000; media += 1000) clock.observe(arrival(media, 50));
    for (let media = 41_000; media <= 100_000; media += 1000) {
      expect(clock.observe(arrival(media, Math.max(50, 101_000 - media)))).toBe(true);
    }
    for (let media = 101_000; media <= 140_000; media += 1000) clock.observe(arrival(media, 50));
    expect(Math.abs(clock.wallAt(0) - (wall0 + 50))).toBeLessThan(10);
  });

  test("refuses times that jumped ahead, or stood still, and is unchanged", () => {
    const clock = new RunClock(arrival(1000, 50));
    for (let media = 2000; media <= 60_000; media += 1000) clock.observe(arrival(media, 50));
    const before = clock.wallAt(0);
    expect(clock.observe(arrival(60_000 + 3_600_000, 50 - 3_600_000))).toBe(false);
    expect(clock.wallAt(0)).toBe(before);
    // The camera lost a minute and its times do not show it: seen once nothing has been on time for a while.
    let refusedAt = 0;
    for (let media = 61_000; media <= 200_000 && refusedAt === 0; media += 1000) {
      if (!clock.observe(arrival(media, 60_050))) refusedAt = media;
    }
    expect(refusedAt).toBeGreaterThan(61_000);
    expect(refusedAt).toBeLessThanOrEqual(61_000 + 61_000);
  });

  test.each([3_600_000, -3_600_000, 1_758_000_000_000])(
    "a step of the wall clock by %d ms is told, not followed",
    (step) => {
      const clock = new RunClock(arrival(1000, 50));
      for (let media = 2000; media <= 30_000; media += 1000) clock.observe(arrival(media, 50));
      const before = clock.wallAt(30_000);
      for (let media = 31_000; media <= 90_000; media += 1000) clock.observe(arrival(media, 50, step));
      expect(clock.wallAt(30_000)).toBe(before);
      expect(clock.stepOffsetMs).toBe(step);
      const anew = clock.realigned();
      expect(anew.wallAt(30_000)).toBe(before + step);
      expect(anew.stepOffsetMs).toBe(0);
    },
  );

  test("a step that is taken back leaves nothing", () => {
    const clock = new RunClock(arrival(1000, 50));
    clock.observe(arrival(2000, 50, 3_600_000));
    expect(clock.stepOffsetMs).toBe(3_600_000);
    clock.observe(arrival(3000, 50));
    expect(clock.stepOffsetMs).toBe(0);
  });

  test("follows NTP's slewing of the wall clock", () => {
    const clock = new RunClock(arrival(1000, 50));
    let drift = 0;
    for (let media = 2000; media <= 1_000_000; media += 1000) {
      drift += 0.4; // 400 ppm
      clock.observe(arrival(media, 50, drift));
      expect(clock.stepOffsetMs).toBe(0);
    }
    expect(Math.abs(clock.wallAt(1_000_000) - (wall0 + 1_000_000 + 50 + drift))).toBeLessThan(20);
  });
});
