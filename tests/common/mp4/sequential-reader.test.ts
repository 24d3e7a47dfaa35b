import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { RegularFile } from "../../../src/common/mp4/regular-file.ts";
import { SequentialReader } from "../../../src/common/mp4/sequential-reader.ts";

/** More than three blocks of the reader, and no two places alike. */
const content = new Uint8Array(3_300_000);
for (let i = 0; i < content.length; i++) content[i] = (i * 2_654_435_761) >>> 24;

/** Reads at once when it is asked, as a disk may: whoever still uses the buffer notices. */
const file = {
  path: "memory",
  sizeBytes: content.length,
  readInto(target: Uint8Array, offset: number) {
    const part = content.subarray(offset, offset + target.length);
    target.set(part);
    return Promise.resolve(part.length);
  },
} as unknown as RegularFile;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("it gives out and hashes every byte once, across blocks", async () => {
  const step = fc.record({
    do: fc.constantFrom("take", "pass", "peek", "start", "stop"),
    length: fc.oneof(fc.nat(20), fc.nat(50_000), fc.nat(1_500_000)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), fc.nat(16), async (steps, before) => {
      await using reader = new SequentialReader(file, {});
      // A header across the border of two blocks.
      await reader.pass(1024 * 1024 - before);
      let at = reader.offset;
      let hashing = false;
      const second: Uint8Array[] = [];
      for (const { do: what, length } of [{ do: "peek" as const, length: 16 }, ...steps]) {
        const expected = content.subarray(at, at + length);
        if (what === "start") reader.startSecondHash();
        if (what === "stop") reader.stopSecondHash();
        if (what === "start" || what === "stop") {
          hashing = what === "start";
          continue;
        }
        if (what === "peek") {
          const peeked = await reader.peek(Math.min(length, 16));
          expect(Buffer.compare(peeked, expected.subarray(0, 16))).toBe(0);
          continue;
        }
        if (what === "take") expect(Buffer.compare(await reader.take(length), expected)).toBe(0);
        if (what === "pass") expect(await reader.pass(length)).toBe(expected.length);
        at += expected.length;
        if (hashing) second.push(expected);
        expect(reader.offset).toBe(at);
      }
      await reader.pass(reader.remaining);
      if (hashing) second.push(content.subarray(at));
      expect(reader.fileSha256()).toBe(sha256(content));
      expect(reader.secondSha256()).toBe(sha256(Buffer.concat(second)));
    }),
    { numRuns: 40 },
  );
}, 60_000);

test("a file that gets shorter ends", async () => {
  const shorter = {
    ...file,
    sizeBytes: content.length + 5000,
    readInto: file.readInto,
  } as unknown as RegularFile;
  await using reader = new SequentialReader(shorter, {});
  expect(await reader.pass(content.length - 10)).toBe(content.length - 10);
  expect(Buffer.compare(await reader.peek(16), content.subarray(-10))).toBe(0);
  expect((await reader.take(100)).length).toBe(10);
  expect(await reader.pass(1)).toBe(0);
  expect(reader.remaining).toBe(5000);
});

test("an error while reading ahead is told when those bytes are wanted", async () => {
  let calls = 0;
  const failing = {
    ...file,
    readInto: (target: Uint8Array, offset: number) =>
      ++calls === 2 ? Promise.reject(new Error("disk gone")) : file.readInto(target, offset),
  } as unknown as RegularFile;
  await using reader = new SequentialReader(failing, {});
  expect((await reader.take(1024 * 1024)).length).toBe(1024 * 1024);
  await expect(reader.take(1)).rejects.toThrow("disk gone");
});
