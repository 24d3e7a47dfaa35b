import { describe, expect, test } from "bun:test";
import { appendFile } from "node:fs/promises";
import { scanSegmentFile } from "../../../src/common/mp4/segment-scan.ts";
import { planSubsegments } from "../../../src/common/mp4/sidx.ts";
import { createFootageToHub } from "../../../src/edge/footage-to-hub.ts";
import { FootageIndexes } from "../../../src/edge/spool/footage-index.ts";
import type { Spool } from "../../../src/edge/spool/spool.ts";
import {
  recordSample,
  sampleRecording,
  sampleStart,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openLoadedSpool } from "../../support/test-spool.ts";

const put = {
  archiveId: "01997000-0000-7000-8000-0000000000aa",
  filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
  fileSizeBytes: 1000,
  fileSha256: "ab".repeat(32),
  alreadyThere: false,
};

/** A spool with a segment in each state that the hub does not know, every ten minutes, and one that it does. */
async function spoolWithFootage(root: string) {
  const spool = await openLoadedSpool(root);
  const ids: string[] = [];
  for (let sequence = 0; sequence < 4; sequence++) {
    const { start } = await recordSample(spool.sink, { sequence });
    ids.push(start.videoId);
  }
  const [acknowledged = "", archived = ""] = ids;
  for (const videoId of [acknowledged, archived]) await spool.uploads.markArchived(videoId, put);
  await spool.announcements.markAcknowledged([acknowledged]);
  return { spool, ids: ids.slice(1) };
}

const all = { limit: 100 };
const idsOf = async (spool: Spool, query: Parameters<Spool["footage"]["list"]>[0]) =>
  (await spool.footage.list(query)).segments.map(({ videoId }) => videoId);

const never = new AbortController().signal;

describe("the files of footage", () => {
  test("are found in every state, as they were recorded, and indexed as the archive will index them", async () => {
    await using folder = await temporaryFolder();
    const { spool, ids } = await spoolWithFootage(folder.path);
    using _ = spool;
    const { init, fragments } = await sampleRecording();
    const whole = Buffer.concat([init.bytes, ...fragments]);
    for (const videoId of ids) {
      const { file, isComplete, sizeBytes } = await spool.footage.open(videoId);
      await using opened = file;
      expect({ isComplete, sizeBytes }).toEqual({ isComplete: true, sizeBytes: whole.length });
      expect(Buffer.from(await opened.readAt(0, sizeBytes)).equals(whole)).toBe(true);
    }
    const indexes = new FootageIndexes(spool.footage);
    const index = await indexes.of(ids[0] ?? "", never);
    const { file } = await spool.footage.open(ids[0] ?? "");
    await file[Symbol.asyncDispose]();
    const { init: scanned, index: tables } = await scanSegmentFile(file.path);
    expect(index).toEqual({
      ...{ videoId: ids[0] ?? "", cameraId: "cam01", isComplete: true, initSizeBytes: scanned.bytes.length },
      ...{ timescale: scanned.video.timescale, fragments: planSubsegments(tables) },
    });
    await expect(spool.footage.open("01997000-0000-7000-8000-000000000099")).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("that grow are what is written whole, and no more", async () => {
    await using folder = await temporaryFolder();
    using spool = await openLoadedSpool(folder.path);
    const { init, fragments } = await sampleRecording();
    const start = sampleStart();
    const segment = await spool.sink.open(start, init.bytes);
    const indexes = new FootageIndexes(spool.footage);
    const [one, two] = fragments as [Uint8Array, Uint8Array];
    await segment.append(one, start.startTimeMs + 400);
    // A fragment that is being written: it may be whole or not, and its append has not ended.
    const { file } = await spool.footage.open(start.videoId);
    await appendFile(file.path, two);
    await file[Symbol.asyncDispose]();
    const index = await indexes.of(start.videoId, never);
    expect(index).toMatchObject({ isComplete: false, fragments: [{ sizeBytes: one.length }] });
    const opened = await spool.footage.open(start.videoId);
    await opened.file[Symbol.asyncDispose]();
    expect(opened.sizeBytes).toBe(init.bytes.length + one.length);
    await segment.append(two, start.startTimeMs + 800);
    expect((await indexes.of(start.videoId, never)).fragments).toHaveLength(2);
    const end = {
      endTimeMs: start.startTimeMs + 800,
      durationMs: 800,
      fps: 10,
      clockState: "synced",
    } as const;
    await segment.close({ ...end, endReason: "boundary" });
    expect((await indexes.of(start.videoId, never)).isComplete).toBe(true);
  });

  test("are read in small steps, no faster than allowed, and only as far as they go", async () => {
    await using folder = await temporaryFolder();
    const { spool, ids } = await spoolWithFootage(folder.path);
    using _ = spool;
    const uploader = {
      isUploading: () => false,
      uploadProgress: () => undefined,
      prioritise: async () => true,
    };
    const { init, fragments } = await sampleRecording();
    const whole = Buffer.concat([init.bytes, ...fragments]);
    const [videoId = ""] = ids;
    const footage = createFootageToHub({ spool, uploader, maxBytesPerSecond: 1e9 });
    const part = await footage.read(videoId, { start: 10, end: 5000 }, never);
    expect(Buffer.from(part).equals(whole.subarray(10, 5000))).toBe(true);
    await expect(footage.read(videoId, { start: 0, end: whole.length + 1 }, never)).rejects.toMatchObject({
      code: "invalid_input",
      issues: [{ path: "end" }],
    });
    // A low limit gives shorter parts, and one that nobody waits for ends.
    const slow = createFootageToHub({ spool, uploader, maxBytesPerSecond: 10_000 });
    expect(whole.length).toBeGreaterThan(40_000);
    const gone = new AbortController();
    const reading = slow.read(videoId, { start: 0, end: 40_000 }, gone.signal);
    gone.abort();
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("footage on the node", () => {
  test("is what the hub has not acknowledged, by id", async () => {
    await using folder = await temporaryFolder();
    const { spool, ids } = await spoolWithFootage(folder.path);
    using _ = spool;
    const { segments, hasMore } = await spool.footage.list(all);
    expect(hasMore).toBe(false);
    expect(segments.map(({ videoId }) => videoId)).toEqual(ids);
    expect(segments.map(({ state }) => state)).toEqual(["archived", "closed", "closed"]);
    const start = sampleStart({ sequence: 2 });
    expect(segments[1]).toMatchObject({
      cameraId: "cam01",
      startTimeMs: start.startTimeMs,
      endTimeMs: start.startTimeMs + 2000,
      sequence: 2,
      isMock: false,
    });
    const { init, fragments } = await sampleRecording();
    const bytes = fragments.reduce((sum, { byteLength }) => sum + byteLength, init.bytes.byteLength);
    expect(segments.every(({ sizeBytes }) => sizeBytes === bytes)).toBe(true);
  });

  test("is asked for by camera, by time, and in pages", async () => {
    await using folder = await temporaryFolder();
    const { spool, ids } = await spoolWithFootage(folder.path);
    using _ = spool;
    const { start: other } = await recordSample(spool.sink, { cameraId: "cam02", sequence: 9 });
    expect(await idsOf(spool, { ...all, cameraId: "cam02" })).toEqual([other.videoId]);
    const second = sampleStart({ sequence: 2 }).startTimeMs;
    const at = (fromMs: number, toMs: number) => idsOf(spool, { ...all, cameraId: "cam01", fromMs, toMs });
    expect(await at(second + 1999, second + 5000)).toEqual(ids.slice(1, 2));
    expect(await at(second + 2000, second + 5000)).toEqual([]);
    expect(await at(second - 5000, second)).toEqual([]);
    expect(await at(second - 5000, second + 1)).toEqual(ids.slice(1, 2));

    const first = await spool.footage.list({ limit: 2 });
    expect(first).toMatchObject({ hasMore: true, segments: [{ videoId: ids[0] }, { videoId: ids[1] }] });
    const rest = await spool.footage.list({ limit: 2, after: ids[1] });
    expect(rest).toMatchObject({
      hasMore: false,
      segments: [{ videoId: ids[2] }, { videoId: other.videoId }],
    });
  });

  test("has one that is being recorded as far as it is written, and closed when it is", async () => {
    await using folder = await temporaryFolder();
    using spool = await openLoadedSpool(folder.path);
    const { init, fragments } = await sampleRecording();
    const start = sampleStart();
    const segment = await spool.sink.open(start, init.bytes);
    expect(await idsOf(spool, all)).toEqual([]);
    const [one, two] = fragments as [Uint8Array, Uint8Array];
    await segment.append(one, start.startTimeMs + 400);
    const recording = { videoId: start.videoId, state: "recording" };
    expect((await spool.footage.list(all)).segments).toMatchObject([
      { ...recording, endTimeMs: start.startTimeMs + 400, sizeBytes: init.bytes.length + one.length },
    ]);
    await segment.append(two, start.startTimeMs + 800);
    expect((await spool.footage.list(all)).segments).toMatchObject([
      {
        ...recording,
        endTimeMs: start.startTimeMs + 800,
        sizeBytes: init.bytes.length + one.length + two.length,
      },
    ]);
    const endTimeMs = start.startTimeMs + 810;
    await segment.close({ endTimeMs, durationMs: 800, fps: 10, clockState: "synced", endReason: "boundary" });
    expect((await spool.footage.list(all)).segments).toMatchObject([{ state: "closed", endTimeMs }]);
  });
});
