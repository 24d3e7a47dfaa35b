import { describe, expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { planArchiveTables } from "../../src/common/mp4/archive-file.ts";
import { formatSegmentTables, parseSegmentTables } from "../../src/edge/segment-tables.ts";
import { planFromSource } from "../../src/edge/uploader/source-plan.ts";
import {
  recordSample,
  sampleRecording,
  sampleStartMs,
  temporaryFolder,
} from "../support/sample-recording.ts";
import { openLoadedSpool, openTestSpool } from "../support/test-spool.ts";

const recorded = { recordedSha256: "ab".repeat(32), startTimeMs: sampleStartMs };

async function sampleTables() {
  const { initBytes, ...planned } = planArchiveTables((await sampleRecording()).index, sampleStartMs);
  const tables = { ...planned, initSizeBytes: initBytes.length };
  return { tables, bytes: formatSegmentTables(tables, recorded) };
}

test("tables come back as they were written", async () => {
  const { tables, bytes } = await sampleTables();
  const parsed = parseSegmentTables(bytes, recorded);
  for (const name of ["fileType", "moov", "sidx"] as const)
    expect(Buffer.compare(parsed?.[name] ?? new Uint8Array(), tables[name])).toBe(0);
  const { initSizeBytes, fragmentsSizeBytes } = tables;
  expect(parsed).toMatchObject({ initSizeBytes, fragmentsSizeBytes });
});

test("tables that are torn, damaged or of something else are none", async () => {
  const { bytes } = await sampleTables();
  expect(parseSegmentTables(bytes, { ...recorded, recordedSha256: "cd".repeat(32) })).toBeUndefined();
  expect(parseSegmentTables(bytes, { ...recorded, startTimeMs: sampleStartMs + 1000 })).toBeUndefined();
  expect(parseSegmentTables(new Uint8Array(0), recorded)).toBeUndefined();
  const at = fc.nat({ max: bytes.length - 1 });
  fc.assert(fc.property(at, (length) => parseSegmentTables(bytes.slice(0, length), recorded) === undefined));
  fc.assert(
    fc.property(at, fc.integer({ min: 1, max: 255 }), (place, change) => {
      const other = bytes.slice();
      other[place]! ^= change;
      return parseSegmentTables(other, recorded) === undefined;
    }),
  );
  // Whole by its checksum, and yet not what it says it is.
  const sized = (text: string) => {
    const other = Buffer.concat([new Uint8Array(8), Buffer.from(`${text}\n`)]);
    other.writeBigUInt64BE(Bun.hash.xxHash3(other.subarray(8)));
    return parseSegmentTables(other, recorded);
  };
  const head = {
    ...{ format: 1, recorded_sha256: recorded.recordedSha256, start_ms: recorded.startTimeMs },
    ...{ init_size_bytes: 0, fragments_size_bytes: 0, part_sizes: [0, 0, 0] },
  };
  expect(sized(JSON.stringify(head))).toBeDefined();
  expect(sized(JSON.stringify({ ...head, format: 2 }))).toBeUndefined();
  for (const part_sizes of [
    [0, 0, 9],
    [9, -9, 0],
    [0.5, 0, 0],
    [0, 0],
    [0, 0, 0, 0],
  ])
    expect(sized(JSON.stringify({ ...head, part_sizes }))).toBeUndefined();
  expect(sized("{")).toBeUndefined();
});

describe("the plan of an upload", () => {
  /** The file has to be there, and only its first bytes, up to the first fragment, may be read. */
  const initAlone = async (path: string) => {
    const file = Bun.file(path);
    const initSizeBytes = (await sampleRecording()).init.bytes.length;
    return {
      sizeBytes: file.size,
      readAt: async (offset: number, length: number) => {
        expect(offset + length).toBeLessThanOrEqual(initSizeBytes);
        return file.slice(offset, offset + length).bytes();
      },
    };
  };

  /** Of a segment that was recorded and closed, by its tables, and by its fragments alone. */
  async function bothPlans(folder: string) {
    using spool = await openLoadedSpool(folder);
    const [waiting] = spool.uploads.waiting();
    const loaded = await spool.uploads.load(waiting?.videoId ?? "");
    const request = { ...loaded, expectedArchiveId: undefined };
    const source = await initAlone(loaded.sourcePath);
    return {
      // Another file than the one that is open: nobody may look for fragments.
      byTables: await planFromSource({ ...request, sourcePath: join(folder, "gone") }, source),
      scanned: await planFromSource({ ...request, tablesPath: undefined }, source),
    };
  }

  test("is the same by the tables of a closed segment as by its fragments, and reads nothing else", async () => {
    await using folder = await temporaryFolder();
    {
      using spool = await openTestSpool(folder.path);
      await recordSample(spool.sink);
    }
    const { byTables, scanned } = await bothPlans(folder.path);
    expect(byTables).toEqual(scanned);
  });

  test.each(["missing", "torn", "of another segment", "a folder"])(
    "is made by the fragments where the tables are %s",
    async (what) => {
      await using folder = await temporaryFolder();
      using spool = await openTestSpool(folder.path);
      const { path } = await recordSample(spool.sink);
      const { start } = await recordSample(spool.sink, { sequence: 1 });
      const other = await spool.uploads.load(start.videoId);
      const [waiting] = spool.uploads.waiting();
      const loaded = await spool.uploads.load(waiting?.videoId ?? "");
      expect(loaded.sourcePath).toBe(path);
      const torn = join(folder.path, "torn");
      await writeFile(torn, (await readFile(loaded.tablesPath ?? "")).subarray(0, 100));
      const tablesPath = {
        missing: join(folder.path, "gone"),
        torn,
        "of another segment": other.tablesPath,
        "a folder": folder.path,
      }[what];
      const source = await initAlone(path);
      const request = { ...loaded, expectedArchiveId: undefined };
      const plan = await planFromSource({ ...request, tablesPath }, source);
      expect(plan).toEqual(await planFromSource(request, source));
      // It did need the fragments.
      await expect(
        planFromSource({ ...request, tablesPath, sourcePath: join(folder.path, "gone") }, source),
      ).rejects.toMatchObject({ code: "not_found" });
    },
  );

  test("is made by the fragments of a file that is not as long as its tables say", async () => {
    await using folder = await temporaryFolder();
    using spool = await openTestSpool(folder.path);
    const { path } = await recordSample(spool.sink);
    const [waiting] = spool.uploads.waiting();
    const loaded = await spool.uploads.load(waiting?.videoId ?? "");
    const video = await readFile(path);
    await writeFile(path, video.subarray(0, video.length - 10));
    await expect(
      planFromSource({ ...loaded, expectedArchiveId: undefined }, await initAlone(path)),
    ).rejects.toMatchObject({ code: "corrupt_file", details: { side: "spool" } });
  });

  test("has tables after a crash, too: recovery writes them", async () => {
    await using folder = await temporaryFolder();
    {
      using spool = await openTestSpool(folder.path);
      const { path } = await recordSample(spool.sink);
      const directory = dirname(path);
      await writeFile(join(directory, "segment.json"), "{");
      await writeFile(join(directory, "tables.bin"), "torn");
    }
    const { byTables, scanned } = await bothPlans(folder.path);
    expect(byTables).toEqual(scanned);
    expect(await readdir(join(folder.path, "quarantine"))).toEqual([]);
  });
});
