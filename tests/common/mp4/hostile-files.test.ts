import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planArchiveFile, readArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { FieldWriter, latin1, u32s, writeBox, writeFullBox } from "../../../src/common/mp4/box-writer.ts";
import { writeIdentityBox } from "../../../src/common/mp4/identity-box.ts";
import { scanSegmentFile } from "../../../src/common/mp4/segment-scan.ts";
import { StreamSplitter } from "../../../src/common/mp4/stream-splitter.ts";
import { verifyArchiveFile } from "../../../src/common/mp4/verify-file.ts";
import { archiveBytes, identityFor, indexOf, splitStream } from "./sample-streams.ts";
import { syntheticInit, syntheticMoof } from "./synthetic-stream.ts";

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-hostile-"));
  path = join(folder, "hostile.mp4");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const megabyte = 1024 * 1024;
const nonSync = 0x10000;
/** Ticks of one sample. */
const frame = 3000;

/** A fragment of `count` samples of `size` bytes. */
function fragmentBytes(decodeTime: number, count: number, size: number): Uint8Array {
  const sample = { duration: frame, size, flags: nonSync, compositionOffset: 0 };
  const make = (dataOffset: number) =>
    syntheticMoof([
      {
        ...{ trackId: 1, decodeTime, defaultDuration: frame, defaultSize: size, defaultFlags: nonSync },
        runs: [{ samples: Array(count).fill(sample), dataOffset, firstFlags: 0 }],
      },
    ]);
  return Buffer.concat([make(make(0).length + 8), writeBox("mdat", new Uint8Array(count * size))]);
}

const init = syntheticInit([{ trackId: 1, kind: "video" }]);
const good = () =>
  splitStream(Buffer.concat([init, fragmentBytes(0, 5, 100), fragmentBytes(5 * frame, 5, 100)]));

/** A good archive file with one box of its outer index exchanged for other content. */
function withOuterBox(type: string, content: Uint8Array): Uint8Array {
  const stream = good();
  const bytes = Buffer.from(archiveBytes(stream.init, stream.fragments));
  const at = bytes.indexOf(type) - 4;
  const length = bytes.readUInt32BE(at);
  // The content is cut or padded: sizes around it stay.
  const box = writeBox(
    type,
    content.subarray(0, length - 8),
    new Uint8Array(Math.max(0, length - 8 - content.length)),
  );
  bytes.set(box, at);
  return bytes;
}

const identity = () => {
  const stream = good();
  return identityFor(indexOf(stream.init, stream.fragments), new Uint8Array(0));
};
const ftyp = writeBox("ftyp", latin1("isom"), u32s(0x200), latin1("isomiso2avc1mp41"));
const head = () => Buffer.concat([ftyp, writeIdentityBox(identity())]);

/** `count` boxes of `size` bytes that say nothing. */
const many = (type: string, count: number, content: Uint8Array = new Uint8Array(0)) => {
  const one = writeBox(type, content);
  const all = new Uint8Array(one.length * count);
  for (let i = 0; i < count; i++) all.set(one, i * one.length);
  return all;
};

const largeHeader = (type: string, size: bigint) => {
  const bytes = Buffer.concat([u32s(1), latin1(type), new Uint8Array(8)]);
  bytes.writeBigUInt64BE(size, 8);
  return bytes;
};

const hostile: [string, () => Uint8Array][] = [
  ["stts counts 4 billion samples", () => withOuterBox("stts", u32s(0, 1, 0xffffffff, 10))],
  ["stts has 4 billion entries", () => withOuterBox("stts", u32s(0, 0xffffffff, 1, 10))],
  ["stsz has 4 billion samples of one size", () => withOuterBox("stsz", u32s(0, 100, 0xffffffff))],
  ["stsc has chunks of 4 billion samples", () => withOuterBox("stsc", u32s(0, 1, 1, 0xffffffff, 1))],
  ["stsc has chunks of no samples", () => withOuterBox("stsc", u32s(0, 1, 1, 0, 1))],
  ["stsc starts at chunk 4 billion", () => withOuterBox("stsc", u32s(0, 1, 0xffffffff, 5, 1))],
  ["co64 has 4 billion chunks", () => withOuterBox("co64", u32s(0, 0xffffffff))],
  ["co64 points past 2^63", () => withOuterBox("co64", u32s(0, 2, 0x80000000, 0, 0xffffffff, 0xffffffff))],
  ["stss names sample 4 billion", () => withOuterBox("stss", u32s(0, 2, 1, 0xffffffff))],
  ["elst has 4 billion edits", () => withOuterBox("elst", u32s(0x01000000, 0xffffffff))],
  [
    "elst starts at 2^63",
    () => withOuterBox("elst", u32s(0x01000000, 1, 0, 10, 0x7fffffff, 0xffffffff, 0x10000)),
  ],
  ["mvhd has the time scale 0", () => withOuterBox("mvhd", u32s(0x01000000, 0, 0, 0, 0, 0))],
  ["the outer moov says 2^63 bytes", () => Buffer.concat([head(), largeHeader("moov", 2n ** 63n)])],
  ["the outer moov says 2^52 bytes", () => Buffer.concat([head(), largeHeader("moov", 2n ** 52n)])],
  [
    "the outer moov is 4 million empty boxes",
    () => Buffer.concat([head(), writeBox("moov", many("free", 4e6))]),
  ],
  [
    "the outer moov is 2 million empty tracks",
    () => Buffer.concat([head(), writeBox("moov", many("trak", 2e6))]),
  ],
  ["the outer moov is nested 100,000 times", () => Buffer.concat([head(), nested("moov", 100_000)])],
  ["mdat says 2^63 bytes", () => Buffer.concat([head(), writeBox("moov"), largeHeader("mdat", 2n ** 63n)])],
  [
    "mdat says 2^53 - 1 bytes",
    () => Buffer.concat([head(), writeBox("moov"), largeHeader("mdat", 2n ** 53n - 1n)]),
  ],
  [
    "the identity is 1 MB",
    () => Buffer.concat([ftyp, writeBox("uuid", livecam(), new Uint8Array(megabyte - 24))]),
  ],
  [
    "the identity is not UTF-8",
    () => Buffer.concat([ftyp, identityBox(Uint8Array.of(0x22, 0xff, 0xfe, 0x22))]),
  ],
  [
    "the identity is nested 20,000 times",
    () => Buffer.concat([ftyp, identityBox(latin1("[".repeat(20_000)))]),
  ],
  [
    "the identity is another JSON",
    () => Buffer.concat([ftyp, identityBox(latin1('{"__proto__":{"video_id":1}}'))]),
  ],
  [
    "the init segment is 15 MB of trex",
    () => Buffer.concat([ftyp, writeBox("moov", many("trex", 4e5, u32s(0, 1, 2, 3, 4, 5)))]),
  ],
  ["a moof of 4 billion samples", () => Buffer.concat([init, samplesClaimed(0xffffffff)])],
  ["a moof of 99,999 samples without bytes", () => Buffer.concat([init, samplesClaimed(99_999)])],
  ["a moof of 100,000 parts", () => Buffer.concat([init, manyParts(100_000)])],
  [
    "20,000 fragments of 99,999 samples in no bytes",
    () => Buffer.concat([init, ...Array(20_000).fill(samplesClaimed(99_999))]),
  ],
  [
    "200 fragments of 50,000 samples of one byte",
    () =>
      Buffer.concat([
        init,
        ...Array.from({ length: 200 }, (_, i) => fragmentBytes(i * 50_000 * frame, 50_000, 1)),
      ]),
  ],
  [
    "100,000 fragments of one sample",
    () => Buffer.concat([init, ...Array.from({ length: 30_000 }, (_, i) => fragmentBytes(i * frame, 1, 1))]),
  ],
  ["decode times at the end of time", () => Buffer.concat([init, fragmentBytes(2 ** 53 - 100_000, 5, 10)])],
  ["edits at the end of time", () => endlessEdits()],
];

function nested(type: string, depth: number): Uint8Array {
  const bytes = Buffer.alloc(depth * 8);
  for (let i = 0; i < depth; i++) {
    bytes.writeUInt32BE((depth - i) * 8, i * 8);
    bytes.write(type, i * 8 + 4);
  }
  return bytes;
}

function livecam(): Uint8Array {
  return writeIdentityBox(identity()).slice(8, 24);
}

function identityBox(json: Uint8Array): Uint8Array {
  return writeBox("uuid", livecam(), json, u32s(Bun.hash.crc32(json)));
}

/** A fragment whose `trun` has no fields, so that its samples take no bytes; only their number is written. */
function samplesClaimed(count: number): Uint8Array {
  const moof = Buffer.from(
    syntheticMoof([{ trackId: 1, decodeTime: 0, runs: [{ samples: [], dataOffset: 8 }] }]),
  );
  moof.writeUInt32BE(count, moof.indexOf("trun") + 8);
  return Buffer.concat([moof, writeBox("mdat", new Uint8Array(1))]);
}

function manyParts(count: number): Uint8Array {
  const traf = { trackId: 1, decodeTime: 0, runs: [] };
  return Buffer.concat([syntheticMoof(Array(count).fill(traf)), writeBox("mdat", new Uint8Array(1))]);
}

function endlessEdits(): Uint8Array {
  const edits = new FieldWriter(4 + 40)
    .u32(2)
    .u64(2 ** 47)
    .raw(u32s(0xffffffff, 0xffffffff))
    .u32(0x10000);
  edits
    .u64(1)
    .u64(2 ** 47)
    .u32(0x10000);
  const track = { trackId: 0xffffffff, kind: "video" as const, timescale: 0xffffffff };
  const start = syntheticInit([{ ...track, edits: writeFullBox("elst", 1, 0, edits.bytes) }]);
  const fragment = Buffer.from(fragmentBytes(2 ** 51, 3, 10));
  fragment.writeUInt32BE(0xffffffff, fragment.indexOf("tfhd") + 8);
  return Buffer.concat([start, fragment]);
}

/** Peak resident memory since the last call that reset it. */
async function peakBytes(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

test.each(hostile)(
  "%s",
  async (_, make) => {
    const bytes = make();
    await writeFile(path, bytes);
    Bun.gc(true);
    await writeFile("/proc/self/clear_refs", "5");
    const before = await peakBytes();

    const report = await verifyArchiveFile(path);
    expect(report.sizeBytes).toBe(bytes.length);
    if (report.kind === "archive") expect(report.ok).toBe(false);
    await expectAppError(() => readArchiveFile(path));
    await expectAppError(async () => {
      const splitter = new StreamSplitter();
      for (let at = 0; at < bytes.length; at += 65_536) splitter.push(bytes.subarray(at, at + 65_536));
    });
    await expectAppError(async () => {
      const { index } = await scanSegmentFile(path);
      if (index.video.sampleCount > 0) planArchiveFile({ index, identity: identity() });
    });

    // What is claimed is always far more than this; how much garbage is about at a time varies.
    expect((await peakBytes()) - before).toBeLessThan(400 * megabyte);
  },
  60_000,
);

/** Ends well, or with the error that means the file is no good. */
async function expectAppError(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    expect(error).toMatchObject({ name: "AppError", code: "corrupt_file" });
  }
}

test("a sparse file that says it is large is not read into memory", async () => {
  await writeFile(path, Buffer.concat([head(), largeHeader("moov", 300n * BigInt(megabyte))]));
  await truncate(path, 400 * megabyte);
  Bun.gc(true);
  await writeFile("/proc/self/clear_refs", "5");
  const before = await peakBytes();
  const report = await verifyArchiveFile(path);
  expect(report.problems[0]!.message).toMatch(/box "moov" at byte \d+ says it is \d+ bytes long/);
  await expectAppError(() => readArchiveFile(path));
  expect((await peakBytes()) - before).toBeLessThan(50 * megabyte);
}, 60_000);
