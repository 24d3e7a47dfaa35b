import { expect, test } from "bun:test";
import fc from "fast-check";
import { ChunkQueue } from "../../../src/common/mp4/chunk-queue.ts";

type Step = { do: "push" | "peek" | "take" | "drop"; offset: number; length: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("push", "peek", "take", "drop"),
  offset: fc.nat(20),
  length: fc.nat(30),
});

test("it gives out the bytes it was given, in order, however they are asked for", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new ChunkQueue();
      let waiting: number[] = [];
      let next = 0;
      /** What a `take` that found too little is waiting for. */
      let wanted: number | undefined;
      for (const { do: what, offset, length } of steps) {
        if (what === "push") {
          const chunk = Uint8Array.from({ length }, () => next++ % 256);
          queue.push(chunk);
          waiting.push(...chunk);
        } else if (what === "peek") {
          expect([...queue.peek(offset, length)]).toEqual(waiting.slice(offset, offset + length));
        } else if (what === "drop" && wanted === undefined) {
          expect(queue.drop(length)).toBe(Math.min(length, waiting.length));
          waiting = waiting.slice(length);
        } else if (what === "take") {
          wanted ??= length;
          const bytes = queue.take(wanted);
          expect(bytes && [...bytes]).toEqual(
            wanted <= waiting.length ? waiting.slice(0, wanted) : undefined,
          );
          if (bytes === undefined) continue;
          waiting = waiting.slice(wanted);
          wanted = undefined;
        }
        expect(queue.sizeBytes).toBe(waiting.length);
      }
    }),
    { numRuns: 500 },
  );
});
