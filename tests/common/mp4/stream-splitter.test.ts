import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { latin1, u32s, writeBox } from "../../../src/common/mp4/box-writer.ts";
import { looksLikeKeyframe } from "../../../src/common/mp4/nal-units.ts";
import { StreamSplitter, type StreamUnit } from "../../../src/common/mp4/stream-splitter.ts";
import { recipes, recordStream, run, type SplitStream, splitStream } from "./sample-streams.ts";

let folder: string;
let recorded: Uint8Array;
let stream: SplitStream;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-splitter-"));
  recorded = await recordStream(folder, recipes["H.264 with B-frames and AAC"]!);
  stream = splitStream(recorded);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (unit: StreamUnit) => (unit.kind === "init" ? unit.init.bytes : unit.fragment.bytes);

function pushAll(splitter: StreamSplitter, bytes: Uint8Array, cuts: readonly number[]): StreamUnit[] {
  const ends = [...new Set(cuts), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return ends.flatMap((end) => {
    const chunk = bytes.slice(start, end);
    start = end;
    return splitter.push(chunk);
  });
}

test("a stream of ffmpeg is cut into its init segment and its GOPs", () => {
  expect(stream.init.codec).toMatch(/^avc1\.\w{6},mp4a\.40\.2$/);
  expect(stream.fragments.length).toBe(4);
  let time = 0;
  for (const fragment of stream.fragments) {
    expect(fragment.hasVideo).toBe(true);
    expect(fragment.startsWithKeyframe).toBe(true);
    expect(looksLikeKeyframe(fragment, stream.init)).toBe(true);
    expect(fragment.videoDecodeTime).toBe(time);
    expect(fragment.videoDurationTicks).toBe(90_000);
    expect(fragment.videoDurationMs).toBe(1000);
    expect(fragment.sizeBytes).toBe(fragment.bytes.length);
    time += fragment.videoDurationTicks;
  }
});

test("any chunks give the same units", () => {
  const whole = new StreamSplitter().push(recorded);
  // Cuts close to the borders of the boxes are the interesting ones.
  let offset = 0;
  const borders = whole.map((unit) => {
    offset += bytesOf(unit).length;
    return offset;
  });
  const nearBorder = fc
    .tuple(fc.constantFrom(0, ...borders), fc.integer({ min: -20, max: 20 }))
    .map(([border, shift]) => Math.min(Math.max(0, border + shift), recorded.length));
  const cuts = fc.array(fc.oneof(nearBorder, fc.nat(recorded.length)), { maxLength: 60 });
  fc.assert(
    fc.property(cuts, (list) => {
      const units = pushAll(new StreamSplitter(), recorded, list);
      expect(units.length).toBe(whole.length);
      for (const [i, unit] of units.entries()) {
        expect(Buffer.compare(bytesOf(unit), bytesOf(whole[i]!))).toBe(0);
        if (unit.kind === "fragment")
          expect({ ...unit.fragment, bytes: 0 }).toEqual({ ...fragmentOf(whole[i]!), bytes: 0 });
      }
    }),
    { numRuns: 60 },
  );
});

function fragmentOf(unit: StreamUnit) {
  if (unit.kind !== "fragment") throw new Error("not a fragment");
  return unit.fragment;
}

test("one byte at a time gives the same units", () => {
  const bytes = Buffer.concat([stream.init.bytes, stream.fragments[0]!.bytes]);
  const units = pushAll(new StreamSplitter(), bytes, Array.from(bytes.keys()));
  expect(units.map((unit) => bytesOf(unit).length)).toEqual([
    stream.init.bytes.length,
    stream.fragments[0]!.sizeBytes,
  ]);
});

test("units do not change when the chunks they came in are used again", () => {
  const chunk = Uint8Array.from(recorded);
  const [init, first] = new StreamSplitter().push(chunk);
  chunk.fill(0);
  expect(Buffer.compare(bytesOf(init!), stream.init.bytes)).toBe(0);
  expect(Buffer.compare(bytesOf(first!), stream.fragments[0]!.bytes)).toBe(0);
});

test("boxes between the fragments are left out", () => {
  const between = ["styp", "sidx", "prft", "emsg", "free", "uuid"].map((type) =>
    writeBox(type, new Uint8Array(100)),
  );
  const parts = [writeBox("free"), stream.init.bytes, ...stream.fragments.map((fragment) => fragment.bytes)];
  const bytes = Buffer.concat([
    ...parts.flatMap((part) => [part, ...between]),
    writeBox("mfra", new Uint8Array(9)),
  ]);
  const units = pushAll(new StreamSplitter(), bytes, [3, 1000, 1001, 5000]);
  expect(Buffer.concat(units.map(bytesOf))).toEqual(Buffer.concat(parts.slice(1)));
});

test("a new init segment in mid-stream is given out", () => {
  const first = stream.fragments[0]!.bytes;
  const units = new StreamSplitter().push(
    Buffer.concat([stream.init.bytes, first, stream.init.bytes, first]),
  );
  expect(units.map((unit) => unit.kind)).toEqual(["init", "fragment", "init", "fragment"]);
});

test("what is left at the end is counted", () => {
  const splitter = new StreamSplitter();
  const half = stream.init.bytes.length + stream.fragments[0]!.sizeBytes + 5000;
  splitter.push(recorded.subarray(0, half));
  expect(splitter.pendingBytes).toBe(5000);
  splitter.push(recorded.subarray(half));
  expect(splitter.pendingBytes).toBe(0);
});

test("a fragment whose flags say keyframe and whose picture is none is found out", () => {
  const fragment = stream.fragments[0]!;
  const video = fragment.tracks.find((track) => track.trackId === stream.init.video.trackId)!;
  // The second sample is not an IDR picture.
  const from = video.offsets[1]!;
  const forged = {
    ...fragment,
    tracks: [{ ...video, offsets: Uint32Array.of(from), sizes: video.sizes.slice(1, 2) }],
  };
  expect(looksLikeKeyframe(forged, stream.init)).toBe(false);
});

describe("refused", () => {
  const broken = (...parts: Uint8Array[]) => Buffer.concat(parts);
  test.each([
    ["text", () => latin1("this is not a video at all, is it?"), "bytes long"],
    ["zeros", () => new Uint8Array(64), "not text"],
    ["random bytes", () => Uint8Array.from({ length: 64 }, (_, i) => (i * 151 + 200) % 256), "not text"],
    ["a fragment before the init segment", () => stream.fragments[0]!.bytes, 'before any "moov"'],
    ["a moov without ftyp", () => broken(writeBox("free"), writeBox("moov")), '"moov" without "ftyp"'],
    ["mdat without moof", () => broken(stream.init.bytes, writeBox("mdat", u32s(1))), 'without "moof"'],
    [
      "moof without mdat",
      () => broken(stream.init.bytes, firstMoof(), writeBox("free")),
      'followed by "free"',
    ],
    ["a box nobody knows", () => broken(stream.init.bytes, writeBox("abcd")), '"abcd"'],
    ["a box without an end", () => broken(u32s(0), latin1("mdat")), "no end"],
    ["a box of 3 GB", () => broken(stream.init.bytes, u32s(3e9), latin1("moof")), "3000000000 bytes long"],
    ["a moof of 9 MB", () => broken(stream.init.bytes, u32s(9e6), latin1("moof")), "too large"],
  ])("%s", (_, make, message) => {
    const splitter = new StreamSplitter();
    const bytes = make();
    expect(() => {
      for (const byte of bytes) splitter.push(Uint8Array.of(byte));
    }).toThrow(new RegExp(message));
    expect(() => splitter.push(new Uint8Array(1))).toThrow(new RegExp(message));
    expect(splitter.failure).toBeInstanceOf(Error);
  });

  function firstMoof(): Uint8Array {
    const { bytes } = stream.fragments[0]!;
    return bytes.subarray(0, new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
  }

  test("an ordinary MP4 that is not fragmented", async () => {
    const path = join(folder, "ordinary.mp4");
    const input = ["-f", "lavfi", "-i", "testsrc2=size=64x64:duration=1"];
    await run([
      "ffmpeg",
      "-v",
      "error",
      "-nostdin",
      ...input,
      "-c:v",
      "libx264",
      "-movflags",
      "faststart",
      path,
    ]);
    const bytes = await Bun.file(path).bytes();
    expect(() => new StreamSplitter().push(bytes)).toThrow("not a fragmented MP4");
  });

  test("damage, after what was whole before it was given out", () => {
    const splitter = new StreamSplitter();
    const units = splitter.push(broken(stream.init.bytes, stream.fragments[0]!.bytes, new Uint8Array(64)));
    expect(units.map((unit) => unit.kind)).toEqual(["init", "fragment"]);
    expect(splitter.failure).toBeInstanceOf(Error);
    expect(() => splitter.push(new Uint8Array(0))).toThrow("not text");
  });

  test("random damage ends in an error or in units, never in anything else", () => {
    const flip = fc.tuple(fc.nat(recorded.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(flip, { minLength: 1, maxLength: 5 }), (flips) => {
        const bytes = Uint8Array.from(recorded);
        for (const [at, mask] of flips) bytes[at]! ^= mask;
        const splitter = new StreamSplitter();
        try {
          splitter.push(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: "AppError", code: "corrupt_file" });
        }
      }),
      { numRuns: 100 },
    );
  });
});
