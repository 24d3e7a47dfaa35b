import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AttemptThrottle } from "../../../src/hub/auth/attempt-throttle.ts";
import { localPathOf } from "../../../src/hub/auth/local-path.ts";
import { networkOf } from "../../../src/hub/auth/sign-in.ts";

function throttle(options: { free?: number; maxWaitMs?: number; maxEntries?: number } = {}) {
  let nowMs = 0;
  const clock = { wallMs: () => 0, monotonicMs: () => nowMs };
  return {
    advance: (ms: number) => {
      nowMs += ms;
    },
    attempts: new AttemptThrottle({ clock, free: 2, maxWaitMs: 8_000, ...options }),
  };
}

describe("throttle", () => {
  test("free ones first, then waits that double up to the longest", () => {
    const { attempts, advance } = throttle();
    expect([attempts.attempt("a"), attempts.attempt("a"), attempts.attempt("a")]).toEqual([0, 0, 1_000]);
    for (const waitMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      expect(attempts.attempt("a")).toBe(waitMs);
      advance(waitMs - 1);
      expect(attempts.attempt("a")).toBe(1);
      advance(1);
      expect(attempts.attempt("a")).toBe(0);
    }
    expect(attempts.attempt("b")).toBe(0);
  });

  test("success and a quarter of an hour make good", () => {
    const { attempts, advance } = throttle();
    for (let i = 0; i < 2; i++) attempts.attempt("a");
    attempts.succeeded("a");
    expect([attempts.attempt("a"), attempts.attempt("a")]).toEqual([0, 0]);
    expect(attempts.attempt("a")).toBeGreaterThan(0);
    advance(15 * 60_000);
    expect([attempts.attempt("a"), attempts.attempt("a")]).toEqual([0, 0]);
  });

  test("an attempt that was taken back was none", () => {
    const { attempts } = throttle();
    for (let i = 0; i < 10; i++) {
      expect(attempts.attempt("a")).toBe(0);
      attempts.takeBack("a");
    }
    attempts.takeBack("never seen");
  });

  test("remembers so many names and no more, the newest", () => {
    const { attempts } = throttle({ maxEntries: 3 });
    for (const name of ["a", "b", "c"]) for (let i = 0; i < 2; i++) attempts.attempt(name);
    for (let i = 0; i < 2; i++) attempts.attempt("d");
    expect(attempts.attempt("c")).toBeGreaterThan(0);
    expect(attempts.attempt("a")).toBe(0);
  });
});

test("one network is an IPv4 address or a /64", () => {
  expect(networkOf("10.0.0.7")).toBe("10.0.0.7");
  expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(networkOf("2001:db8:1:2::6")).toBe(networkOf("2001:db8:1:2:3:4:5:6"));
  expect(networkOf("::1")).toBe("0:0:0:0::/64");
  expect(networkOf("fe80::1")).toBe("fe80:0:0:0::/64");
  expect(networkOf("2001:db8::")).toBe("2001:db8:0:0::/64");
  expect(networkOf("")).toBe("");
});

test("a local path", () => {
  for (const refused of [
    "",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/x/..//evil.example",
    "javascript:alert(1)",
    "https://evil.example/",
    "/login",
    "/login?next=/",
    "x",
    "/é",
    `/${"a".repeat(3_000)}`,
  ]) {
    expect([refused, localPathOf(refused)]).toEqual([refused, "/"]);
  }
  expect(localPathOf(undefined)).toBe("/");
  expect(localPathOf("/cameras/cam01?date=2025-09-23&x=%2F")).toBe("/cameras/cam01?date=2025-09-23&x=%2F");
});

test("a local path stays on this hub, whatever is asked for", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl(),
        fc.string({ maxLength: 40 }),
        fc.string({ unit: fc.constantFrom(..."/\\.:?#@%a\t\n ") }),
      ),
      (value) => {
        const path = localPathOf(value);
        expect(path).toMatch(/^\/(?![/\\])/);
        expect(new URL(path, "http://hub.test:81").host).toBe("hub.test:81");
      },
    ),
    { numRuns: 400 },
  );
});
