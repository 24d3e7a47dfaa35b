import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type ByteRange,
  maxRangesPerRequest,
  planRange,
  type RangePlan,
} from "../../../src/hub/http/range.ts";

const whole: RangePlan = { kind: "whole" };
const single = (start: number, end: number): RangePlan => ({ kind: "single", range: { start, end } });
const multiple = (...pairs: [number, number][]): RangePlan => ({
  kind: "multiple",
  ranges: pairs.map(([start, end]) => ({ start, end })),
});

describe("planRange", () => {
  // The examples of RFC 9110 section 14.1.2, for its 10,000 bytes, then the edges around them.
  const table: [header: string | undefined, expected: RangePlan | "refused"][] = [
    ["bytes=0-499", single(0, 500)],
    ["bytes=500-999", single(500, 1000)],
    ["bytes=-500", single(9500, 10000)],
    ["bytes=9500-", single(9500, 10000)],
    ["bytes=0-0,-1", multiple([0, 1], [9999, 10000])],
    ["bytes= 0-999, 4500-5499, -1000", multiple([0, 1000], [4500, 5500], [9000, 10000])],
    ["bytes=500-600,601-999", single(500, 1000)],
    ["bytes=500-700,601-999", single(500, 1000)],

    [undefined, whole],
    ["", whole],
    ["lines=1-2", whole],
    ["bytes", whole],
    ["=0-1", whole],
    ["BYTES=0-0", single(0, 1)],
    ["bytes=0-", single(0, 10000)],
    ["bytes=9999-", single(9999, 10000)],
    ["bytes=9999-9999", single(9999, 10000)],
    ["bytes=0-99999", single(0, 10000)],
    ["bytes=-10000", single(0, 10000)],
    ["bytes=-99999", single(0, 10000)],
    ["bytes=,,0-0,\t,", single(0, 1)],
    ["bytes=9000-9009,0-9", multiple([9000, 9010], [0, 10])],
    ["bytes=0-9,20000-", single(0, 10)],
    ["bytes=0-99999999999999999999999999", single(0, 10000)],
    ["bytes=-99999999999999999999999999", single(0, 10000)],
    ["bytes=00000000000000000000000000005-6", single(5, 7)],

    ["bytes=10000-", "refused"],
    ["bytes=10000-10001", "refused"],
    ["bytes=99999999999999999999999999-", "refused"],
    ["bytes=99999999999999999999999999-99999999999999999999999998", "refused"],
    ["bytes=-0", "refused"],
    ["bytes=", "refused"],
    ["bytes=,", "refused"],
    ["bytes=-", "refused"],
    ["bytes=5-4", "refused"],
    ["bytes=a-b", "refused"],
    ["bytes=0x1-2", "refused"],
    ["bytes=1e3-", "refused"],
    ["bytes=+1-2", "refused"],
    ["bytes=1.5-2", "refused"],
    ["bytes=--1", "refused"],
    ["bytes=0-1-2", "refused"],
    ["bytes=0 - 1", "refused"],
    ["bytes=0-1;2-3", "refused"],
    ["bytes=0-1,nonsense", "refused"],
    ["bytes=٠-١", "refused"],
  ];
  for (const [header, expected] of table) {
    test(JSON.stringify(header) ?? "no header", () => {
      const plan = planRange(header, 10_000);
      if (expected === "refused") expect(plan.kind).toBe("refused");
      else expect(plan).toEqual(expected);
    });
  }

  test("an empty file has no ranges", () => {
    expect(planRange("bytes=-1", 0)).toEqual(whole);
    expect(planRange("bytes=0-", 0).kind).toBe("refused");
    expect(planRange("bytes=0-0", 0).kind).toBe("refused");
  });

  test("two thousand ranges are refused, as many as allowed are not", () => {
    const list = (count: number) =>
      Array.from({ length: count }, (_, i) => `${i * 1000}-${i * 1000}`).join(",");
    expect(planRange(`bytes=${list(2000)}`, 10_000_000).kind).toBe("refused");
    expect(planRange(`bytes=${"0-0,".repeat(2000)}`, 10_000).kind).toBe("refused");
    const plan = planRange(`bytes=${list(maxRangesPerRequest)}`, 10_000_000);
    expect(plan.kind === "multiple" && plan.ranges.length).toBe(maxRangesPerRequest);
  });

  test("sends at least what was asked, little more, and nothing twice", () => {
    const spec = fc.oneof(
      fc.tuple(fc.nat(2200), fc.nat(2200)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.nat(2200).map((first) => `${first}-`),
      fc.nat(2200).map((length) => `-${length}`),
    );
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 2000 }),
        (specs, size) => {
          const asked = askedBytes(specs, size);
          const plan = planRange(`bytes=${specs.join(", ")}`, size);
          if (asked.size === 0) return plan.kind === "refused";
          const parts = plan.kind === "single" ? [plan.range] : plan.kind === "multiple" ? plan.ranges : [];
          const sent = parts.flatMap(bytesOf);
          expect(new Set(sent).size).toBe(sent.length);
          expect([...asked].every((byte) => sent.includes(byte))).toBe(true);
          // Bytes nobody asked for lie between two that somebody did, within the length of a part's header.
          for (const byte of sent) {
            const near = (step: number) =>
              Array.from({ length: 129 }, (_, i) => byte + i * step).some((other) => asked.has(other));
            if (!asked.has(byte)) expect(near(1) && near(-1)).toBe(true);
          }
          return plan.kind !== "multiple" || plan.ranges.length > 1;
        },
      ),
    );
  });

  test("never throws, and stays inside the file", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789-, \tbytes=") }));
    fc.assert(
      fc.property(text, fc.nat(1000), (rest, size) => {
        const plan = planRange(`bytes=${rest}`, size);
        const parts = plan.kind === "single" ? [plan.range] : plan.kind === "multiple" ? plan.ranges : [];
        return parts.every(({ start, end }) => 0 <= start && start < end && end <= size);
      }),
    );
  });
});

/** The model: which bytes the valid specs name, one by one. */
function askedBytes(specs: string[], size: number): Set<number> {
  const asked = new Set<number>();
  for (const spec of specs) {
    const [first = "", last = ""] = spec.split("-");
    for (let byte = 0; byte < size; byte++) {
      if (
        first === ""
          ? byte >= size - Number(last)
          : byte >= Number(first) && (last === "" || byte <= Number(last))
      ) {
        asked.add(byte);
      }
    }
  }
  return asked;
}

function bytesOf({ start, end }: ByteRange): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
