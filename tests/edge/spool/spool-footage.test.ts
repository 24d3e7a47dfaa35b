import { describe, expect, test } from "bun:test";
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
