import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReadSchedule } from "../../../src/edge/camera/read-schedule.ts";

interface Played {
  /** How long each fragment waited to be found, in ms. */
  waitedMs: number[];
  looks: number;
}

/** Looks for fragments that arrive at these times, each whole at once. */
function play(arrivals: readonly number[], mediaMs: (index: number) => number): Played {
  const schedule = new ReadSchedule();
  const waitedMs: number[] = [];
  let looks = 0;
  let fragmentMs: number | undefined;
  for (let nowMs = 0; waitedMs.length < arrivals.length; ) {
    looks++;
    let sizeBytes = 0;
    while (waitedMs.length < arrivals.length && arrivals[waitedMs.length]! <= nowMs) {
      fragmentMs = mediaMs(waitedMs.length);
      waitedMs.push(nowMs - arrivals[waitedMs.length]!);
      sizeBytes += 500_000;
    }
    nowMs += schedule.next({ sizeBytes, pendingBytes: 0, fragmentMs });
  }
  return { waitedMs, looks };
}

const steady = (count: number, everyMs: number, fromMs = 1000) =>
  Array.from({ length: count }, (_, i) => fromMs + i * everyMs);

test("fragments of a steady camera are found soon after they came, with little more than a look for each", () => {
  const { waitedMs, looks } = play(steady(1000, 1000), () => 1000);
  expect(Math.max(...waitedMs.slice(10))).toBeLessThanOrEqual(40);
  expect(waitedMs.reduce((sum, ms) => sum + ms, 0) / waitedMs.length).toBeLessThan(25);
  expect(looks).toBeLessThan(1250);
});

test("a camera whose clock is not ours is followed", () => {
  for (const everyMs of [999, 1001, 990, 1010]) {
    const { waitedMs } = play(steady(500, everyMs), () => 1000);
    expect(Math.max(...waitedMs.slice(10))).toBeLessThanOrEqual(100);
  }
});

test("after a standstill, what comes late does not stay late", () => {
  // The whole stream is found most of a second too late at first.
  const { waitedMs } = play([...steady(5, 1000), ...steady(100, 1000, 6_700)], () => 1000);
  expect(Math.max(...waitedMs.slice(20))).toBeLessThanOrEqual(40);
});

test("fragments that become shorter are found within a second, longer ones without looking all the time", () => {
  const shorter = play([...steady(10, 10_000), ...steady(50, 500, 92_000)], (i) => (i < 10 ? 10_000 : 500));
  expect(Math.max(...shorter.waitedMs.slice(10))).toBeLessThanOrEqual(1000);
  expect(Math.max(...shorter.waitedMs.slice(25))).toBeLessThanOrEqual(60);
  const longer = play(steady(100, 10_000), () => 10_000);
  expect(longer.looks / 100).toBeLessThan(13);
});

test("many short fragments are taken together", () => {
  const { looks, waitedMs } = play(steady(3000, 33), () => 33);
  expect(looks).toBeLessThan(2100);
  expect(Math.max(...waitedMs)).toBeLessThanOrEqual(60);
});

test("whatever the jitter, nothing waits for more than a second", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 5000 }),
      fc.array(fc.nat(400), { minLength: 30, maxLength: 60 }),
      (everyMs, jitter) => {
        const arrivals = jitter.map((ms, i) => 1000 + i * everyMs + ms).sort((a, b) => a - b);
        const { waitedMs } = play(arrivals, () => everyMs);
        expect(Math.max(...waitedMs)).toBeLessThanOrEqual(1000);
      },
    ),
  );
});

describe("while a fragment is coming in parts", () => {
  const part = { sizeBytes: 65_536, pendingBytes: 65_536, fragmentMs: 1000 };

  test("the next is looked for at once", () => {
    const schedule = new ReadSchedule();
    for (let i = 0; i < 100; i++) expect(schedule.next(part)).toBeLessThanOrEqual(2);
  });

  test("and no more comes, it is looked for less and less often, and again at once when it does", () => {
    const schedule = new ReadSchedule();
    const delays = Array.from({ length: 20 }, () => schedule.next({ ...part, sizeBytes: 0 }));
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays.at(-1)).toBe(100);
    expect(schedule.next(part)).toBeLessThanOrEqual(2);
  });
});

test("before the first fragment it looks now and then", () => {
  const schedule = new ReadSchedule();
  const nothing = { sizeBytes: 0, pendingBytes: 0, fragmentMs: undefined };
  for (let i = 0; i < 50; i++) expect(schedule.next(nothing)).toBe(50);
});
