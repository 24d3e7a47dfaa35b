import { expect, test } from "bun:test";
import fc from "fast-check";
import { SpoolChecksum } from "../../src/edge/spool-checksum.ts";

function checksumOf(...parts: Uint8Array[]): string {
  const checksum = new SpoolChecksum();
  for (const part of parts) checksum.update(part);
  return checksum.digest();
}

/** Bytes that do not repeat within a slice, the same in every run. */
function madeBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

test("XXH3 is what its specification says, since segments wait in spools while the runtime is updated", () => {
  // Values of the reference implementation, seed 0.
  expect(Bun.hash.xxHash3("")).toBe(0x2d06800538d394c2n);
  expect(Bun.hash.xxHash3("a")).toBe(0xe6c632b61e964e1fn);
  expect(Bun.hash.xxHash3("abc")).toBe(0x78af5f94892f3950n);
  expect(checksumOf()).toBe("0000000000000000");
  const link = new BigUint64Array([0n, 0x78af5f94892f3950n]);
  expect(checksumOf(new TextEncoder().encode("abc"))).toBe(
    Bun.hash.xxHash3(link).toString(16).padStart(16, "0"),
  );
});

test("the value does not depend on how the bytes were cut", () => {
  const bytes = madeBytes(300_000);
  const whole = checksumOf(bytes);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const parts = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
      expect(checksumOf(...parts)).toBe(whole);
    }),
  );
});

test("a flipped bit, a missing end, and slices that changed places are seen", () => {
  const bytes = madeBytes(200_000);
  const whole = checksumOf(bytes);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
      const other = bytes.slice();
      other[at]! ^= 1 << bit;
      expect(checksumOf(other)).not.toBe(whole);
    }),
  );
  fc.assert(fc.property(fc.nat(bytes.length - 1), (end) => checksumOf(bytes.subarray(0, end)) !== whole));
  const [first, second, rest] = [
    bytes.subarray(0, 65_536),
    bytes.subarray(65_536, 131_072),
    bytes.subarray(131_072),
  ];
  expect(checksumOf(second, first, rest)).not.toBe(whole);
});
