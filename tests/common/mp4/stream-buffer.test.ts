import { expect, test } from "bun:test";
import fc from "fast-check";
import { StreamBuffer } from "../../../src/common/mp4/stream-buffer.ts";

type Step = { do: "fill" | "peek" | "take" | "drop"; offset: number; length: number };

// Around what a buffer has room for, so that it has to move, change and grow.
const length = fc.oneof(fc.nat(30), fc.integer({ min: 60_000, max: 70_000 }), fc.nat(600_000));
const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("fill", "fill", "peek", "take", "drop"),
  offset: fc.nat(70_000),
  length,
});

/** Bytes of a stream that tell where in it they are. */
function pattern(from: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = ((from + i) * 0x9e3779b1) >>> 24;
  return bytes;
}

test("it gives out the bytes that were put in, in order, and what was taken stays until the one after it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const buffer = new StreamBuffer();
      let filled = 0;
      let gone = 0;
      /** Of the stream, as they were when they were taken: those since the last room, and those before. */
      let taken: { from: number; bytes: Uint8Array }[] = [];
      let takenBefore: typeof taken = [];
      for (const { do: what, offset, length } of steps) {
        if (what === "fill") {
          const room = buffer.room();
          if (taken.length > 0) takenBefore = taken;
          taken = [];
          expect(room.length).toBeGreaterThanOrEqual(65_536);
          const size = Math.min(length, room.length);
          room.set(pattern(filled, size));
          buffer.filled(size);
          filled += size;
        } else if (what === "peek") {
          const seen = Math.max(0, Math.min(length, filled - gone - offset));
          expect(pattern(gone + offset, seen).equals(buffer.peek(offset, length))).toBe(true);
        } else if (what === "drop") {
          const dropped = Math.min(length, filled - gone);
          expect(buffer.drop(length)).toBe(dropped);
          gone += dropped;
        } else {
          const bytes = buffer.take(length);
          if (length > filled - gone) expect(bytes).toBeUndefined();
          else {
            taken.push({ from: gone, bytes: bytes! });
            gone += length;
          }
        }
        expect(buffer.sizeBytes).toBe(filled - gone);
        for (const { from, bytes } of [...takenBefore, ...taken]) {
          expect(pattern(from, bytes.length).equals(bytes)).toBe(true);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("pieces of about the same size need no new memory", () => {
  const buffer = new StreamBuffer();
  const memory = new Set<ArrayBufferLike>();
  for (let piece = 0; piece < 60; piece++) {
    const size = 500_000 + (piece % 7) * 5_000;
    for (let left = size; left > 0; ) {
      const room = buffer.room();
      if (piece >= 20) memory.add(room.buffer);
      const part = Math.min(left, room.length);
      buffer.filled(part);
      left -= part;
    }
    expect(buffer.take(size)?.length).toBe(size);
  }
  expect(memory.size).toBeLessThanOrEqual(2);
});

test("what a piece has announced is made room for at once, and a giant leaves no giant behind", () => {
  const buffer = new StreamBuffer();
  buffer.room();
  expect(buffer.take(50_000_000)).toBeUndefined();
  expect(buffer.room().length).toBeGreaterThanOrEqual(50_000_000);
  buffer.filled(50_000_000);
  expect(buffer.take(50_000_000)?.length).toBe(50_000_000);
  for (let piece = 0; piece < 4; piece++) {
    buffer.room();
    buffer.filled(1000);
    buffer.take(1000);
  }
  expect(buffer.room().length).toBeLessThan(1_000_000);
});

test("more than there was room for is a mistake of the caller", () => {
  const buffer = new StreamBuffer();
  expect(() => buffer.filled(buffer.room().length + 1)).toThrow(RangeError);
});
