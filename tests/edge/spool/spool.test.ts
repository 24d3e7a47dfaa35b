import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SpoolChecksum } from "../../../src/edge/spool-checksum.ts";
import {
  recordSample,
  sampleRecording,
  sampleStart,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openLoadedSpool, openTestSpool } from "../../support/test-spool.ts";

const putResult = (n = 1) => ({
  archiveId: "01997000-0000-7000-8000-0000000000aa",
  filePath: `cam01/2025-09-23/cam01_20250923_15300${n}.mp4`,
  fileSizeBytes: 1000 + n,
  fileSha256: "ab".repeat(32),
  alreadyThere: false,
});

test("a segment is recorded under its readable name, and closed by one rename with its hash", async () => {
  await using folder = await temporaryFolder();
  using spool = await openTestSpool(folder.path);
  const { start, path } = await recordSample(spool.sink);
  const directory = dirname(path);
  expect(basename(directory)).toBe(`cam01_20250923_153000_${start.videoId}`);
  expect(basename(dirname(directory))).toBe("closed");
  expect(await readdir(join(folder.path, "recording"))).toEqual([]);
  expect((await readdir(directory)).sort()).toEqual(["segment.json", "tables.bin", "video.mp4"]);

  const { init, fragments } = await sampleRecording();
  const expected = Buffer.concat([init.bytes, ...fragments]);
  expect(Buffer.compare(await readFile(path), expected)).toBe(0);
  const record = JSON.parse(await readFile(join(directory, "segment.json"), "utf8"));
  expect(record).toMatchObject({
    video_id: start.videoId,
    start_time: "2025-09-23T06:30:00.000Z",
    end_time: "2025-09-23T06:30:02.000Z",
    duration_ms: 2000,
    recorded_sha256: createHash("sha256").update(expected).digest("hex"),
    end_reason: "boundary",
    size_bytes: expected.length,
  });
  const checksum = new SpoolChecksum();
  checksum.update(expected);
  expect(record.spool_checksum).toBe(checksum.digest());
  expect(spool.uploads.waiting().map(({ videoId }) => videoId)).toEqual([start.videoId]);
});

test("a segment goes from closed to archived to acknowledged, each found again after a restart", async () => {
  await using folder = await temporaryFolder();
  const ids: string[] = [];
  {
    using spool = await openTestSpool(folder.path);
    for (const sequence of [0, 1, 2]) ids.push((await recordSample(spool.sink, { sequence })).start.videoId);
    for (const id of ids.slice(0, 2)) await spool.uploads.markArchived(id, putResult());
    await spool.announcements.markAcknowledged([ids[0]!]);
    expect(spool.announcements.pending()).toEqual([ids[1]!]);
  }
  using spool = await openLoadedSpool(folder.path);
  expect(spool.uploads.waiting().map(({ videoId }) => videoId)).toEqual([ids[2]!]);
  expect(spool.announcements.pending()).toEqual([ids[1]!]);
  expect(await spool.announcements.load(ids[1]!)).toMatchObject({
    video_id: ids[1],
    file_path: putResult().filePath,
    file_size: 1001,
    start_time: "2025-09-23T06:40:00.000Z",
  });
  expect(spool.status()).toMatchObject({
    waiting_segments: 1,
    unacknowledged_segments: 1,
    oldest_waiting_at: "2025-09-23T06:50:00.000Z",
    lost_segments: 0,
    quarantined_segments: 0,
  });
});

test("listeners hear of segments that begin to wait and that are to be announced", async () => {
  await using folder = await temporaryFolder();
  using spool = await openTestSpool(folder.path);
  const heard: string[] = [];
  spool.uploads.onWaiting(() => heard.push("waiting"));
  spool.announcements.onPending(() => heard.push("pending"));
  const { start } = await recordSample(spool.sink);
  await spool.uploads.markArchived(start.videoId, putResult());
  expect(heard).toEqual(["waiting", "pending"]);
});

test("a conflict stays in archived, is not announced again, also not after a restart", async () => {
  await using folder = await temporaryFolder();
  let id = "";
  {
    using spool = await openTestSpool(folder.path);
    id = (await recordSample(spool.sink)).start.videoId;
    await spool.uploads.markArchived(id, putResult());
    await spool.announcements.markConflict(id, {
      video_id: id,
      result: "conflict",
      known_sha256: "cd".repeat(32),
    });
    expect(spool.announcements.pending()).toEqual([]);
  }
  using spool = await openLoadedSpool(folder.path);
  expect(spool.announcements.pending()).toEqual([]);
  expect(spool.status()).toMatchObject({ unacknowledged_segments: 1, conflicting_segments: 1 });
  expect(await readdir(join(folder.path, "archived"))).toHaveLength(1);
});

test("a segment that got no fragment leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  using spool = await openTestSpool(folder.path);
  const segment = await spool.sink.open(sampleStart(), (await sampleRecording()).init.bytes);
  const end = { endTimeMs: 0, durationMs: 0, fps: 0, clockState: "synced" as const, endReason: "boundary" };
  await expect(segment.close(end)).rejects.toMatchObject({ code: "io" });
  expect(await readdir(join(folder.path, "recording"))).toEqual([]);
  expect(await readdir(join(folder.path, "closed"))).toEqual([]);
});

describe("eviction", () => {
  test("deletes acknowledged segments only, oldest first, down to the limit", async () => {
    await using folder = await temporaryFolder();
    const size = Buffer.concat([
      (await sampleRecording()).init.bytes,
      ...(await sampleRecording()).fragments,
    ]).length;
    using spool = await openTestSpool(folder.path, { maxAcknowledgedBytes: size * 2 });
    const ids: string[] = [];
    for (let sequence = 0; sequence < 6; sequence++) {
      ids.push((await recordSample(spool.sink, { sequence })).start.videoId);
    }
    for (const id of ids.slice(0, 5)) await spool.uploads.markArchived(id, putResult());
    for (const id of ids.slice(0, 4)) await spool.announcements.markAcknowledged([id]);
    await spool.pressure.relieve();
    const left = async (state: string) =>
      (await readdir(join(folder.path, state))).map((name) => name.slice(-36));
    expect((await left("acknowledged")).sort()).toEqual(ids.slice(2, 4));
    expect(await left("archived")).toEqual([ids[4]!]);
    expect(await left("closed")).toEqual([ids[5]!]);
  });

  test("that was interrupted is finished at the next start", async () => {
    await using folder = await temporaryFolder();
    {
      using spool = await openTestSpool(folder.path);
      const { start } = await recordSample(spool.sink);
      await spool.uploads.markArchived(start.videoId, putResult());
      await spool.announcements.markAcknowledged([start.videoId]);
    }
    const [name = ""] = await readdir(join(folder.path, "acknowledged"));
    await Bun.file(join(folder.path, "acknowledged", name, "video.mp4")).delete();
    using _spool = await openLoadedSpool(folder.path);
    expect(await readdir(join(folder.path, "acknowledged"))).toEqual([]);
  });
});

test("remembers the archive it belongs to, and starts all the same when that file is damaged", async () => {
  await using folder = await temporaryFolder();
  const archiveId = "01997000-0000-7000-8000-0000000000aa";
  {
    using spool = await openTestSpool(folder.path);
    expect(spool.state.archiveId).toBeUndefined();
    await spool.state.setArchiveId(archiveId);
  }
  {
    using spool = await openTestSpool(folder.path);
    expect(spool.state.archiveId).toBe(archiveId);
  }
  await writeFile(join(folder.path, "state.json"), "{ not json");
  using spool = await openTestSpool(folder.path);
  expect(spool.state.archiveId).toBeUndefined();
});

test("says clearly when the folder cannot be made", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "file"), "");
  await expect(openTestSpool(join(folder.path, "file", "spool"))).rejects.toMatchObject({ code: "io" });
});
