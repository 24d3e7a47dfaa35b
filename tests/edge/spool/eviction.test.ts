import { expect, test } from "bun:test";
import fc from "fast-check";
import { planEviction, reserveBytesOf } from "../../../src/edge/spool/eviction.ts";

const segments = fc
  .array(fc.integer({ min: 0, max: 1000 }))
  .map((sizes) => sizes.map((sizeBytes, index) => ({ videoId: `v${index}`, sizeBytes })));

test("takes the oldest, as few as reach both bounds, and nothing while both hold", () => {
  const disk = fc.option(fc.record({ totalBytes: fc.nat(100_000), freeBytes: fc.nat(100_000) }), {
    nil: undefined,
  });
  fc.assert(
    fc.property(segments, fc.nat(20_000), disk, (acknowledged, maxBytes, disk) => {
      const evicted = planEviction({ acknowledged, maxBytes, disk });
      expect(evicted).toEqual(acknowledged.slice(0, evicted.length).map(({ videoId }) => videoId));
      const sum = (list: typeof acknowledged) => list.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
      const inBounds = (count: number) =>
        sum(acknowledged.slice(count)) <= maxBytes &&
        (!disk || disk.freeBytes + sum(acknowledged.slice(0, count)) >= reserveBytesOf(disk.totalBytes));
      if (evicted.length > 0) expect(inBounds(evicted.length - 1)).toBe(false);
      if (evicted.length < acknowledged.length) expect(inBounds(evicted.length)).toBe(true);
    }),
  );
});

test("the reserve is a tenth of a small disk and two gigabytes of a large one", () => {
  expect(reserveBytesOf(1_000_000_000)).toBe(100_000_000);
  expect(reserveBytesOf(4_000_000_000_000)).toBe(2_000_000_000);
});

test("what fits exactly stays", () => {
  const acknowledged = [1, 2].map((n) => ({ videoId: `v${n}`, sizeBytes: 100 }));
  expect(planEviction({ acknowledged, maxBytes: 200, disk: undefined })).toEqual([]);
  expect(planEviction({ acknowledged, maxBytes: 199, disk: undefined })).toEqual(["v1"]);
});
