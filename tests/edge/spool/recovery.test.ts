import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { OpenSegment, SegmentStart } from "../../../src/edge/recorder/segment-sink.ts";
import {
  recordSample,
  sampleRecording,
  sampleStart,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openLoadedSpool, openTestSpool } from "../../support/test-spool.ts";

/** A killed process closes nothing; these are kept so that they are not collected, which Bun takes for a mistake. */
const leftOpen: OpenSegment[] = [];

/** Leaves a segment in `recording/` as a killed process does; returns its directory. */
async function leaveOpen(
  root: string,
  fragments: number,
  start: SegmentStart = sampleStart(),
): Promise<string> {
  const sample = await sampleRecording();
  using spool = await openTestSpool(root);
  const segment = await spool.sink.open(start, sample.init.bytes);
  leftOpen.push(segment);
  for (const fragment of sample.fragments.slice(0, fragments)) await segment.append(fragment);
  const [name = ""] = await readdir(join(root, "recording"));
  return join(root, "recording", name);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const names = (root: string, state: string) => readdir(join(root, state));

async function onlyClosed(root: string): Promise<{ record: Record<string, unknown>; video: Uint8Array }> {
  const [name = "", ...more] = await names(root, "closed");
  expect(more).toEqual([]);
  expect(await names(root, "recording")).toEqual([]);
  const directory = join(root, "closed", name);
  expect((await readdir(directory)).sort()).toEqual(["segment.json", "tables.bin", "video.mp4"]);
  return {
    record: JSON.parse(await readFile(join(directory, "segment.json"), "utf8")),
    video: await readFile(join(directory, "video.mp4")),
  };
}

describe("a segment left in recording", () => {
  test("is closed with what is whole of it, the torn fragment dropped", async () => {
    await using folder = await temporaryFolder();
    const { init, fragments } = await sampleRecording();
    const start = sampleStart();
    const directory = await leaveOpen(folder.path, 4, start);
    const whole = Buffer.concat([init.bytes, ...fragments.slice(0, 3)]);
    await truncate(join(directory, "video.mp4"), whole.length + fragments[3]!.length - 10);

    using spool = await openLoadedSpool(folder.path);
    const { record, video } = await onlyClosed(folder.path);
    expect(Buffer.compare(video, whole)).toBe(0);
    expect(record).toMatchObject({
      video_id: start.videoId,
      run_id: start.runId,
      duration_ms: 1200,
      end_time: "2025-09-23T06:30:01.200Z",
      fps: 10,
      recorded_sha256: sha256(whole),
      size_bytes: whole.length,
      end_reason: "crash",
    });
    expect(spool.uploads.waiting().map(({ videoId }) => videoId)).toEqual([start.videoId]);
  });

  test("does not end after it was last written to", async () => {
    await using folder = await temporaryFolder();
    const startTimeMs = Date.now() - 1500;
    const directory = await leaveOpen(folder.path, 5, sampleStart({ startTimeMs }));
    const lastWriteMs = Math.floor((await stat(join(directory, "video.mp4"))).mtimeMs);
    using _spool = await openLoadedSpool(folder.path);
    const { record } = await onlyClosed(folder.path);
    expect(record.duration_ms).toBe(2000);
    expect(Date.parse(record.end_time as string)).toBe(Math.min(lastWriteMs, startTimeMs + 2000));
  });

  test("is cut at every byte of its last fragment without harm", async () => {
    const { init, fragments } = await sampleRecording();
    const whole = init.bytes.length + fragments[0]!.length;
    for (const extra of [0, 1, 7, 8, 9, 100, fragments[1]!.length - 1]) {
      await using folder = await temporaryFolder();
      const directory = await leaveOpen(folder.path, 2);
      await truncate(join(directory, "video.mp4"), whole + extra);
      using _spool = await openLoadedSpool(folder.path);
      expect((await onlyClosed(folder.path)).record).toMatchObject({ size_bytes: whole });
    }
  });

  test.each([
    ["nothing", 0],
    ["half an init segment", 100],
    ["half a box header", 3],
  ])("with %s in it is removed", async (_what, length) => {
    await using folder = await temporaryFolder();
    const directory = await leaveOpen(folder.path, 1);
    await truncate(join(directory, "video.mp4"), length);
    using spool = await openLoadedSpool(folder.path);
    expect(await names(folder.path, "recording")).toEqual([]);
    expect(await names(folder.path, "closed")).toEqual([]);
    expect(spool.status().quarantined_segments).toBe(0);
  });

  test.each([
    ["is no init segment", (video: Buffer) => video.fill(0, 0, 8)],
    // It seems to end inside its init segment, and there is more in it than that.
    ["has a wrong length", (video: Buffer) => video.writeUInt32BE(1_000_000, video.readUInt32BE(0))],
  ])("whose beginning %s is kept for people", async (_what, spoil) => {
    await using folder = await temporaryFolder();
    const directory = await leaveOpen(folder.path, 5);
    const video = await readFile(join(directory, "video.mp4"));
    spoil(video);
    await writeFile(join(directory, "video.mp4"), Buffer.concat([video, new Uint8Array(20_000)]));
    using spool = await openLoadedSpool(folder.path);
    expect(await names(folder.path, "closed")).toEqual([]);
    expect(spool.status().quarantined_segments).toBe(1);
  });

  test("with less than one fragment is removed", async () => {
    await using folder = await temporaryFolder();
    const directory = await leaveOpen(folder.path, 1);
    const { init } = await sampleRecording();
    await truncate(join(directory, "video.mp4"), init.bytes.length + 20);
    using spool = await openLoadedSpool(folder.path);
    expect(await names(folder.path, "recording")).toEqual([]);
    expect(spool.status()).toMatchObject({ waiting_segments: 0, quarantined_segments: 0 });
  });

  test("without a video file is removed", async () => {
    await using folder = await temporaryFolder();
    const directory = await leaveOpen(folder.path, 1);
    await rm(join(directory, "video.mp4"));
    using _spool = await openLoadedSpool(folder.path);
    expect(await names(folder.path, "recording")).toEqual([]);
  });

  test.each([
    ["missing", undefined],
    ["empty", ""],
    ["torn", '{"format_version":1,"video_id'],
    ["of another segment", JSON.stringify({})],
  ])("with its record %s is rebuilt from its name and its file", async (_how, text) => {
    await using folder = await temporaryFolder();
    const start = sampleStart();
    const directory = await leaveOpen(folder.path, 5, start);
    if (text === undefined) await rm(join(directory, "segment.json"));
    else await writeFile(join(directory, "segment.json"), text);
    using _spool = await openLoadedSpool(folder.path);
    const { record } = await onlyClosed(folder.path);
    expect(record).toMatchObject({
      video_id: start.videoId,
      camera_id: "cam01",
      node_id: "node01",
      start_time: "2025-09-23T06:30:00.000Z",
      end_time: "2025-09-23T06:30:02.000Z",
      time_zone: "Asia/Seoul",
      width: 192,
      height: 108,
      clock_state: "unsynced",
      end_reason: "crash",
    });
    expect(record.run_id).not.toBe(start.runId);
  });

  test("that was closed in all but the rename keeps its end and its hash", async () => {
    await using folder = await temporaryFolder();
    {
      using spool = await openTestSpool(folder.path);
      await recordSample(spool.sink);
    }
    const [name = ""] = await names(folder.path, "closed");
    await rename(join(folder.path, "closed", name), join(folder.path, "recording", name));
    using _spool = await openLoadedSpool(folder.path);
    expect((await onlyClosed(folder.path)).record).toMatchObject({
      end_reason: "boundary",
      duration_ms: 2000,
    });
  });

  test("is recovered while new segments are recorded, which are left alone", async () => {
    await using folder = await temporaryFolder();
    await leaveOpen(folder.path, 2);
    const { init, fragments } = await sampleRecording();
    using spool = await openTestSpool(folder.path);
    const segment = await spool.sink.open(sampleStart({ sequence: 1 }), init.bytes);
    leftOpen.push(segment);
    await spool.load(new AbortController().signal);
    await segment.append(fragments[0]!);
    expect(await names(folder.path, "recording")).toHaveLength(1);
    expect(spool.uploads.waiting()).toHaveLength(1);
  });
});

describe("a closed segment", () => {
  async function closeOne(root: string): Promise<string> {
    using spool = await openTestSpool(root);
    return dirname((await recordSample(spool.sink)).path);
  }

  test("whose record is lost is closed again from its file", async () => {
    await using folder = await temporaryFolder();
    const directory = await closeOne(folder.path);
    await writeFile(join(directory, "segment.json"), "\0\0\0");
    using _spool = await openLoadedSpool(folder.path);
    expect((await onlyClosed(folder.path)).record).toMatchObject({ duration_ms: 2000, end_reason: "crash" });
  });

  test("whose file has another length is set aside, never deleted", async () => {
    await using folder = await temporaryFolder();
    const directory = await closeOne(folder.path);
    await truncate(join(directory, "video.mp4"), 5000);
    using spool = await openLoadedSpool(folder.path);
    expect(spool.uploads.waiting()).toEqual([]);
    expect(spool.status()).toMatchObject({ waiting_segments: 0, quarantined_segments: 1 });
    const [aside = ""] = await names(folder.path, "quarantine");
    expect((await readFile(join(folder.path, "quarantine", aside, "video.mp4"))).length).toBe(5000);
  });
});

describe("an archived segment", () => {
  async function archiveOne(root: string): Promise<string> {
    using spool = await openTestSpool(root);
    const { start } = await recordSample(spool.sink);
    await spool.uploads.markArchived(start.videoId, {
      archiveId: "01997000-0000-7000-8000-0000000000aa",
      filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
      fileSizeBytes: 1000,
      fileSha256: "ab".repeat(32),
      alreadyThere: false,
    });
    const [name = ""] = await names(root, "archived");
    return join(root, "archived", name);
  }

  test("whose announcement is lost is uploaded once more", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(await archiveOne(folder.path), "announce.json"), "{}");
    using spool = await openLoadedSpool(folder.path);
    expect(spool.announcements.pending()).toEqual([]);
    expect(spool.uploads.waiting()).toHaveLength(1);
  });

  test("whose rename a crash undid is uploaded once more", async () => {
    await using folder = await temporaryFolder();
    const directory = await archiveOne(folder.path);
    await rename(directory, directory.replace("/archived/", "/closed/"));
    using spool = await openLoadedSpool(folder.path);
    expect(spool.uploads.waiting()).toHaveLength(1);
    expect(spool.announcements.pending()).toEqual([]);
  });

  test("that is there twice is kept in the later state, the other set aside", async () => {
    await using folder = await temporaryFolder();
    const directory = await archiveOne(folder.path);
    await Bun.$`cp -r ${directory} ${directory.replace("/archived/", "/closed/")}`.quiet();
    using spool = await openLoadedSpool(folder.path);
    expect(spool.announcements.pending()).toHaveLength(1);
    expect(spool.uploads.waiting()).toEqual([]);
    expect(spool.status().quarantined_segments).toBe(1);
  });
});

test("what is no segment is set aside from every state, and the rest is found", async () => {
  await using folder = await temporaryFolder();
  {
    using spool = await openTestSpool(folder.path);
    await recordSample(spool.sink);
  }
  for (const state of ["recording", "closed", "archived", "acknowledged"]) {
    await writeFile(join(folder.path, state, "stray.txt"), "?");
    await mkdir(join(folder.path, state, "cam01_20250923_153000"));
  }
  using spool = await openLoadedSpool(folder.path);
  expect(spool.status()).toMatchObject({ waiting_segments: 1, quarantined_segments: 8 });
  expect(await names(folder.path, "quarantine")).toHaveLength(8);
});

test("2,000 closed segments are found", async () => {
  await using folder = await temporaryFolder();
  {
    using spool = await openTestSpool(folder.path);
    await recordSample(spool.sink);
  }
  const [name = ""] = await names(folder.path, "closed");
  const model = join(folder.path, "closed", name);
  const record = JSON.parse(await readFile(join(model, "segment.json"), "utf8"));
  const video = await readFile(join(model, "video.mp4"));
  for (let n = 1; n < 2000; n++) {
    const videoId = name.slice(-36, -12) + n.toString(16).padStart(12, "0");
    const directory = join(folder.path, "closed", name.slice(0, -36) + videoId);
    await mkdir(directory);
    await writeFile(join(directory, "segment.json"), JSON.stringify({ ...record, video_id: videoId }));
    await writeFile(join(directory, "video.mp4"), video);
  }
  using spool = await openLoadedSpool(folder.path);
  expect(spool.status()).toMatchObject({ waiting_segments: 2000, quarantined_segments: 0 });
}, 60_000);
