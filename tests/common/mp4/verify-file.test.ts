import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type ArchivedFile, planArchiveFile, readArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { latin1, writeBox } from "../../../src/common/mp4/box-writer.ts";
import { type Box, readBoxes } from "../../../src/common/mp4/boxes.ts";
import { verifyArchiveFile } from "../../../src/common/mp4/verify-file.ts";
import type { SegmentIdentity } from "../../../src/common/segment-identity.ts";
import {
  archiveBytes,
  identityFor,
  indexOf,
  recipes,
  recordStream,
  run,
  type SplitStream,
  splitStream,
  spoolBytes,
} from "./sample-streams.ts";

let folder: string;
let path: string;
let stream: SplitStream;
let whole: Uint8Array;
let archived: ArchivedFile;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-verify-"));
  path = join(folder, "cam01_20250923_153000.mp4");
  stream = splitStream(await recordStream(folder, recipes["H.264 with B-frames and AAC"]!));
  stream.fragments.splice(0, 2);
  whole = archiveBytes(stream.init, stream.fragments);
  await writeFile(path, whole);
  archived = await readArchiveFile(path);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function verify(bytes: Uint8Array) {
  await writeFile(path, bytes);
  return verifyArchiveFile(path);
}

const codesOf = (report: { problems: readonly { code: string }[] }) =>
  report.problems.map((problem) => problem.code);

function archiveWith(change: (identity: SegmentIdentity) => Partial<SegmentIdentity>): Uint8Array {
  const recorded = spoolBytes(stream.init, stream.fragments);
  const index = indexOf(stream.init, stream.fragments);
  const identity = identityFor(index, recorded);
  const layout = planArchiveFile({ index, identity: { ...identity, ...change(identity) } });
  return Buffer.concat([
    layout.front,
    layout.initBytes,
    layout.sidx,
    recorded.subarray(layout.initBytes.length),
  ]);
}

test("a whole file is whole, and hashes as sha256sum does", async () => {
  const report = await verify(whole);
  expect(report).toMatchObject({
    ...{ kind: "archive", ok: true, problems: [], sizeBytes: whole.length, durationMs: 2000 },
    fileSha256: createHash("sha256").update(whole).digest("hex"),
    identity: archived.identity,
  });
});

test("a spool segment is accepted and called one; its torn end is not", async () => {
  const recorded = spoolBytes(stream.init, stream.fragments);
  const report = await verify(recorded);
  expect(report).toMatchObject({ kind: "spool_segment", ok: true, durationMs: 2000 });
  expect(report.identity).toBeUndefined();
  const torn = await verify(recorded.subarray(0, recorded.length - 10));
  expect(torn).toMatchObject({ kind: "spool_segment", ok: false, durationMs: 1000 });
  expect(codesOf(torn)).toEqual(["truncated"]);
  expect(codesOf(await verify(stream.init.bytes))).toEqual(["structure"]);
});

describe("damage is found", () => {
  test("a file cut off anywhere", async () => {
    const borders = [...readBoxes(whole)].flatMap((box) => [box.start, box.contentStart]);
    const inner = archived.fragments.flatMap(({ offset, sizeBytes }) => [offset, offset + sizeBytes]);
    const interesting = [...borders, archived.initOffset + archived.initSizeBytes, ...inner];
    const lengths = fc.oneof(
      fc.constantFrom(...interesting).chain((at) => fc.integer({ min: at - 20, max: at + 20 })),
      fc.nat(whole.length - 1),
    );
    await fc.assert(
      fc.asyncProperty(lengths, async (wanted) => {
        const length = Math.max(0, Math.min(wanted, whole.length - 1));
        const report = await verify(whole.subarray(0, length));
        expect(report.ok).toBe(false);
        expect(["empty", "not_mp4", "truncated"]).toContain(report.problems[0]!.code);
        expect(codesOf(report)).not.toContain("recorded_hash");
        await expect(readArchiveFile(path)).rejects.toMatchObject({ code: "corrupt_file" });
      }),
      { numRuns: 120 },
    );
  });

  test("one changed bit anywhere", async () => {
    const front = fc.nat(archived.fragments[0]!.offset - 1);
    await fc.assert(
      fc.asyncProperty(fc.oneof(front, fc.nat(whole.length - 1)), fc.nat(7), async (at, bit) => {
        const bytes = Uint8Array.from(whole);
        bytes[at]! ^= 1 << bit;
        const report = await verify(bytes);
        expect(report.ok).toBe(false);
        if (at >= archived.fragments[0]!.offset) expect(codesOf(report)).toContain("recorded_hash");
      }),
      { numRuns: 200 },
    );
  });

  test("many changed bytes, without a crash", async () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 200 }), async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const report = await verify(bytes);
        expect(report.ok).toBe(Buffer.compare(bytes, whole) === 0);
      }),
      { numRuns: 60 },
    );
  });

  test("bytes after the end", async () => {
    const report = await verify(Buffer.concat([whole, new Uint8Array(100)]));
    expect(codesOf(report)).toEqual(["trailing_bytes"]);
  });
});

/** Overwrites 32 bits of a box in the outer index, counted from the start of its content. */
function withOuterField(boxPath: string[], offset: number, change: (value: number) => number): Uint8Array {
  const bytes = Buffer.from(whole);
  let range = { start: 0, end: bytes.length };
  for (const type of boxPath) {
    const found: Box | undefined = [...readBoxes(bytes, range.start, range.end)].find(
      (box) => box.type === type,
    );
    range = { start: found!.contentStart, end: found!.end };
  }
  bytes.writeUInt32BE(change(bytes.readUInt32BE(range.start + offset)), range.start + offset);
  return bytes;
}

describe("what is wrong is said in words", () => {
  const stbl = ["moov", "trak", "mdia", "minf", "stbl"];
  test.each([
    [
      "co64",
      [...stbl, "co64"],
      12,
      "index",
      /video track 1: sample 0: the index has offset \d+, the video \d+/,
    ],
    ["stsz", [...stbl, "stsz"], 16, "index", /sample 1: the index has size \d+, the video \d+/],
    ["stts", [...stbl, "stts"], 12, "index", /sample 0: the index has duration 3001, the video 3000/],
    ["stts count", [...stbl, "stts"], 8, "index", /"stts" counts more samples than there are/],
    ["ctts", [...stbl, "ctts"], 20, "index", /sample 1: the index has composition offset \d+/],
    ["stss", [...stbl, "stss"], 12, "index", /the index has keyframe flag/],
    ["stsz count", [...stbl, "stsz"], 8, "index", /wrong length/],
    ["elst", ["moov", "trak", "edts", "elst"], 12, "index", /the edit list moves it by/],
    ["tkhd", ["moov", "trak", "tkhd"], 84, "index", /box moov\/trak\/tkhd is not as livecam writes it/],
    ["mvhd", ["moov", "mvhd"], 8, "index", /box moov\/mvhd/],
    ["ftyp", ["ftyp"], 4, "index", /box ftyp/],
  ])("%s", async (_, boxPath, offset, code, message) => {
    const report = await verify(
      withOuterField(boxPath, offset, (value) => value + (boxPath.includes("elst") ? 3600 : 1)),
    );
    expect(codesOf(report)[0]).toBe(code as never);
    expect(report.problems[0]!.message).toMatch(message);
    expect(codesOf(report)).not.toContain("recorded_hash");
  });

  test("sidx", async () => {
    const bytes = Buffer.from(whole);
    const entry = archived.initOffset + archived.initSizeBytes + 8 + 4 + 28;
    bytes.writeUInt32BE(bytes.readUInt32BE(entry + 4) + 1, entry + 4);
    const report = await verify(bytes);
    expect(report.problems).toEqual([
      { code: "sidx", message: "fragment 0: durationTicks is 90001, in the video 90000" },
    ]);
  });

  test("sidx that does not reach the end of the file is not used", async () => {
    const bytes = Buffer.from(whole);
    const entry = archived.initOffset + archived.initSizeBytes + 8 + 4 + 28;
    bytes.writeUInt32BE(bytes.readUInt32BE(entry) - 1, entry);
    expect(codesOf(await verify(bytes))).toEqual(["sidx"]);
    await expect(readArchiveFile(path)).rejects.toThrow(/the fragments of .* end at byte/);
  });

  test("a changed picture", async () => {
    const bytes = Uint8Array.from(whole);
    bytes[bytes.length - 1]! ^= 1;
    const report = await verify(bytes);
    expect(codesOf(report)).toEqual(["recorded_hash"]);
    expect(report.problems[0]!.message).toMatch(
      /not what was recorded: SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/,
    );
  });

  test("an identity that contradicts the video", async () => {
    const bytes = archiveWith(({ durationMs }) => ({
      codec: "hvc1.1.6.L93.B0",
      width: 1,
      durationMs: durationMs + 5000,
    }));
    const report = await verify(bytes);
    expect(codesOf(report)).toEqual(["identity", "identity", "identity"]);
  });

  test("codecs may be named in any order, and the video alone is enough", async () => {
    const codec = archived.identity.codec.split(",");
    for (const named of [codec.toReversed().join(","), codec[0]!]) {
      expect((await verify(archiveWith(() => ({ codec: named })))).problems).toEqual([]);
    }
    for (const named of [codec[1]!, `${codec[0]},opus`]) {
      expect(codesOf(await verify(archiveWith(() => ({ codec: named }))))).toEqual(["identity"]);
    }
  });

  test("an identity box that is damaged", async () => {
    const bytes = Buffer.from(whole);
    bytes.write("cam02", bytes.indexOf("cam01"));
    const report = await verify(bytes);
    expect(report).toMatchObject({ kind: "archive", ok: false });
    expect(report.problems[0]).toMatchObject({
      code: "identity",
      message: expect.stringContaining("checksum"),
    });
    await expect(readArchiveFile(path)).rejects.toMatchObject({ code: "corrupt_file" });
  });
});

test("a file of a newer livecam with more fields in its identity is whole", async () => {
  const bytes = Buffer.from(whole);
  const uuid = [...readBoxes(bytes)].find((box) => box.type === "uuid")!;
  const json = { start: uuid.contentStart + 16, end: uuid.end - 4 };
  const identity = JSON.parse(bytes.toString("utf8", json.start, json.end));
  const text = JSON.stringify({ ...identity, lens: "wide" });
  bytes.write(text.padEnd(json.end - json.start), json.start);
  bytes.writeUInt32BE(Bun.hash.crc32(bytes.subarray(json.start, json.end)), json.end);
  expect(await verify(bytes)).toMatchObject({ ok: true, problems: [] });
});

describe("what is no archived video", () => {
  test.each([
    ["empty", () => new Uint8Array(0), "empty"],
    ["text", () => latin1("#EXTM3U\nhttp://example.org/"), "not_mp4"],
    ["random bytes", () => crypto.getRandomValues(new Uint8Array(65_000)), "not_mp4"],
    ["zeros", () => new Uint8Array(3_000_000), "not_mp4"],
    ["one byte", () => new Uint8Array(1), "not_mp4"],
    ["only an ftyp", () => writeBox("ftyp", latin1("isom\0\0\0\0")), "truncated"],
    [
      "another uuid",
      () => Buffer.concat([whole.subarray(0, 32), writeBox("uuid", new Uint8Array(90))]),
      "foreign",
    ],
  ])("%s", async (_, make, code) => {
    const report = await verify(make());
    expect(report).toMatchObject({ kind: "unknown", ok: false });
    expect(codesOf(report)).toEqual([code as never]);
    await expect(readArchiveFile(path)).rejects.toMatchObject({ code: "corrupt_file" });
  });

  test("an ordinary MP4, with its index in front or behind", async () => {
    for (const flags of [["-movflags", "faststart"], []]) {
      const foreign = join(folder, `foreign-${flags.length}.mp4`);
      const input = ["-f", "lavfi", "-i", "testsrc2=size=64x64:duration=1", "-c:v", "libx264"];
      await run(["ffmpeg", "-v", "error", "-nostdin", ...input, ...flags, foreign]);
      const report = await verifyArchiveFile(foreign);
      expect(codesOf(report)).toEqual(["foreign"]);
      await expect(readArchiveFile(foreign)).rejects.toMatchObject({ details: { foreign: true } });
    }
  });

  test("a folder, a FIFO, a device, a socket, nothing", async () => {
    const fifo = join(folder, "fifo.mp4");
    await run(["mkfifo", fifo]);
    const socket = join(folder, "socket.mp4");
    using _server = Bun.listen({ unix: socket, socket: { data() {} } });
    for (const each of [folder, fifo, "/dev/zero", socket]) {
      expect(codesOf(await verifyArchiveFile(each))).toEqual(["not_a_file"]);
    }
    expect(codesOf(await verifyArchiveFile(join(folder, "none.mp4")))).toEqual(["unreadable"]);
    const loop = join(folder, "loop.mp4");
    await symlink(loop, loop);
    expect(codesOf(await verifyArchiveFile(loop))).toEqual(["unreadable"]);
  });
});

test("progress goes up to the size of the file", async () => {
  // More than one block of the reader.
  const large = Buffer.concat([whole, new Uint8Array(3_000_000)]);
  await writeFile(path, large);
  const seen: number[] = [];
  await verifyArchiveFile(path, {
    onProgress: (done, total) => {
      expect(total).toBe(large.length);
      seen.push(done);
    },
  });
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(large.length);
  expect(new Set(seen).size).toBeGreaterThan(2);
});

test("it can be cancelled", async () => {
  await writeFile(path, Buffer.concat([whole, new Uint8Array(5_000_000)]));
  const controller = new AbortController();
  const verifying = verifyArchiveFile(path, {
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(verifying).rejects.toMatchObject({ code: "cancelled" });
});
