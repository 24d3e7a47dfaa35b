import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  FieldWriter,
  latin1,
  u32s,
  writeBox,
  writeFullBox,
  writeLargeBoxHeader,
} from "../../../src/common/mp4/box-writer.ts";
import { findBox, parseBoxHeader, readBox, readBoxes, requireBox } from "../../../src/common/mp4/boxes.ts";
import { ByteCursor } from "../../../src/common/mp4/byte-cursor.ts";

const boxType = fc.stringMatching(/^[a-z0-9 ]{4}$/);
const content = fc.uint8Array({ maxLength: 200 });

test("boxes are read as they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(boxType, content), { maxLength: 8 }), (list) => {
      const bytes = Buffer.concat(list.map(([type, body]) => writeBox(type, body)));
      const read = [...readBoxes(bytes)];
      const found = read.map((box) => [box.type, new Uint8Array(bytes.subarray(box.contentStart, box.end))]);
      expect(found).toEqual(list.map(([type, body]) => [type, new Uint8Array(body)]));
    }),
  );
});

test("boxes in boxes are found by name", () => {
  const bytes = writeBox("moov", writeBox("free"), writeBox("trak", writeFullBox("tkhd", 1, 7, u32s(5))));
  const trak = requireBox(bytes, readBox(bytes), "trak");
  const cursor = ByteCursor.ofBox(bytes, requireBox(bytes, trak, "tkhd"));
  expect(cursor.fullBox()).toEqual({ version: 1, flags: 7 });
  expect(cursor.u32()).toBe(5);
  expect(findBox(bytes, trak, "mdia")).toBeUndefined();
  expect(() => requireBox(bytes, trak, "mdia")).toThrow('box "trak" has no "mdia"');
});

test("a 64-bit size is read, and what is past 2^53 refused", () => {
  expect(parseBoxHeader(writeLargeBoxHeader("mdat", 5_000_000_000))).toEqual({
    type: "mdat",
    headerSizeBytes: 16,
    sizeBytes: 5_000_000_016,
  });
  for (const size of [0n, 15n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    const bytes = Buffer.concat([u32s(1), latin1("mdat"), new Uint8Array(8)]);
    bytes.writeBigUInt64BE(size, 8);
    expect(() => parseBoxHeader(bytes)).toThrow("which cannot be");
  }
});

test("size 0 runs to the end of what there is", () => {
  const bytes = Buffer.concat([writeBox("free"), u32s(0), latin1("mdat"), new Uint8Array(9)]);
  expect([...readBoxes(bytes)].map((box) => [box.type, box.end])).toEqual([
    ["free", 8],
    ["mdat", 25],
  ]);
});

describe("refused", () => {
  test.each([
    ["a size smaller than the header", Buffer.concat([u32s(7), latin1("free")]), "less than its own header"],
    ["a size past the end", Buffer.concat([u32s(9), latin1("free")]), "past its parent"],
    ["a header that is cut off", latin1("\0\0\0"), "cut off"],
    ["a type that is no text", u32s(8, 0x00010203), "not text"],
  ])("%s", (_, bytes, message) => {
    expect(() => readBox(bytes)).toThrow(message);
  });

  test("a child that is larger than its parent", () => {
    const child = writeBox("trak", new Uint8Array(100));
    const parent = Buffer.concat([writeBox("moov", child.subarray(0, 50)), new Uint8Array(200)]);
    expect(() => findBox(parent, readBox(parent), "mdia")).toThrow("past its parent");
  });
});

test("fields are read as they were written, and never past the end", () => {
  const u64 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), u32, u64, content, (a, b, c, d) => {
      const bytes = new FieldWriter(14 + d.length).u16(a).u32(b).u64(c).raw(d).bytes;
      const cursor = new ByteCursor(bytes);
      expect([cursor.u16(), cursor.u32(), cursor.u64()]).toEqual([a, b, c]);
      expect(cursor.take(d.length)).toEqual(d);
      expect(() => cursor.u8()).toThrow("past the end of its box");
    }),
  );
});

test("a number that does not fit is not cut off in silence", () => {
  for (const value of [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new FieldWriter(4).u32(value)).toThrow("does not fit");
  }
});
