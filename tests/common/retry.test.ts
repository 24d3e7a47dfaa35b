import { expect, test } from "bun:test";
import { Backoff } from "../../src/common/retry.ts";

test("delays double up to the most, and only progress resets them", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, jitter: 0 });
  expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect(backoff.failures).toBe(6);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test("jitter only shortens, by at most its share", () => {
  const least = new Backoff({ firstMs: 1000, maxMs: 1000, jitter: 0.3, random: () => 1 });
  const most = new Backoff({ firstMs: 1000, maxMs: 1000, jitter: 0.3, random: () => 0 });
  expect(least.next()).toBe(700);
  expect(most.next()).toBe(1000);
});

test("a thousand failures still give a finite delay", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 60_000 });
  for (let i = 0; i < 2000; i++) expect(backoff.next()).toBeLessThanOrEqual(60_000);
});
