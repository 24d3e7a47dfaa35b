import { expect, test } from "bun:test";
import fc from "fast-check";
import { OrderedSegments } from "../../../src/edge/spool/ordered-segments.ts";

interface Item {
  videoId: string;
  sizeBytes: number;
}

const steps = fc.array(
  fc.record({
    does: fc.constantFrom("set", "set", "delete", "list"),
    videoId: fc.nat(40).map((n) => `v${String(n).padStart(2, "0")}`),
    sizeBytes: fc.nat(1000),
  }),
  { maxLength: 200 },
);

test("is what a map sorted anew each time would be", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const segments = new OrderedSegments<Item>();
      const model = new Map<string, Item>();
      const expected = () => [...model.values()].sort((a, b) => (a.videoId < b.videoId ? -1 : 1));
      for (const { does, videoId, sizeBytes } of list) {
        if (does === "set") {
          segments.set({ videoId, sizeBytes });
          model.set(videoId, { videoId, sizeBytes });
        } else if (does === "delete") {
          segments.delete(videoId);
          model.delete(videoId);
        }
        if (does === "list") expect(segments.list()).toEqual(expected());
        expect(segments.get(videoId)).toEqual(model.get(videoId));
      }
      expect(segments.list()).toEqual(expected());
      expect(segments.size).toBe(model.size);
      expect(segments.sizeBytes).toBe(expected().reduce((sum, item) => sum + item.sizeBytes, 0));
    }),
  );
});

test("a list that was given stays as it is, and is given again until something changes", () => {
  const segments = new OrderedSegments<Item>();
  segments.set({ videoId: "b", sizeBytes: 1 });
  const list = segments.list();
  expect(segments.list()).toBe(list);
  segments.set({ videoId: "a", sizeBytes: 1 });
  segments.delete("b");
  segments.delete("c");
  expect(list.map(({ videoId }) => videoId)).toEqual(["b"]);
  expect(segments.list().map(({ videoId }) => videoId)).toEqual(["a"]);
});
