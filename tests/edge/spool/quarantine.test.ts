import { expect, test } from "bun:test";
import { appendFile, cp, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  recordSample,
  sampleRecording,
  sampleStart,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openLoadedSpool, openTestSpool } from "../../support/test-spool.ts";

const startTime = "2025-09-23T06:30:00.000Z";
const endTime = "2025-09-23T06:30:02.000Z";

test("a recording that cannot be believed any more is set aside, and its time is a gap, once", async () => {
  await using folder = await temporaryFolder();
  let videoId = "";
  {
    using spool = await openTestSpool(folder.path);
    const { start, path } = await recordSample(spool.sink);
    videoId = start.videoId;
    await appendFile(path, "x");
  }
  const gap = { gap_id: videoId, camera_id: "cam01", from_time: startTime, to_time: endTime };
  for (let i = 0; i < 2; i++) {
    using spool = await openLoadedSpool(folder.path);
    expect(spool.status()).toMatchObject({ waiting_segments: 0, quarantined_segments: 1 });
    expect(spool.gapReports.pending()).toMatchObject([{ ...gap, cause: "damaged" }]);
  }
});

test("so is one that its upload found damaged", async () => {
  await using folder = await temporaryFolder();
  using spool = await openLoadedSpool(folder.path);
  const { start } = await recordSample(spool.sink);
  await spool.uploads.setAside(start.videoId, "its hash is another");
  expect(spool.gapReports.pending()).toMatchObject([
    { gap_id: start.videoId, from_time: startTime, to_time: endTime, detail: "its hash is another" },
  ]);
  expect(spool.status()).toMatchObject({ waiting_segments: 0, quarantined_segments: 1 });
});

test("of one whose record is lost too, the name and the last write tell the time", async () => {
  await using folder = await temporaryFolder();
  const { init } = await sampleRecording();
  for (const [sequence, writtenMs] of [5000, 90_000_000, -1].entries()) {
    const start = sampleStart({ sequence });
    const stem = `cam01_20250923_15${30 + sequence * 10}00`;
    const directory = join(folder.path, "recording", `${stem}_${start.videoId}`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "video.mp4"), Buffer.alloc(init.bytes.length + 50_000));
    const written = new Date(start.startTimeMs + writtenMs);
    await utimes(join(directory, "video.mp4"), written, written);
  }
  using spool = await openLoadedSpool(folder.path);
  const durations = spool.gapReports
    .pending()
    .map(({ from_time, to_time }) => Date.parse(to_time) - Date.parse(from_time));
  expect(durations).toEqual([5000, 1000, 1000]);
});

test("what is no recording, or there a second time, is no gap", async () => {
  await using folder = await temporaryFolder();
  {
    using spool = await openTestSpool(folder.path);
    const { start } = await recordSample(spool.sink);
    await spool.uploads.markArchived(start.videoId, {
      archiveId: "01997000-0000-7000-8000-0000000000aa",
      filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
      fileSizeBytes: 1000,
      fileSha256: "ab".repeat(32),
      alreadyThere: false,
    });
    const [name = ""] = await readdir(join(folder.path, "archived"));
    await cp(join(folder.path, "archived", name), join(folder.path, "closed", name), { recursive: true });
    await writeFile(join(folder.path, "closed", "stray"), "?");
  }
  using spool = await openLoadedSpool(folder.path);
  expect(spool.status()).toMatchObject({ unacknowledged_segments: 1, quarantined_segments: 2 });
  expect(spool.gapReports.pending()).toEqual([]);
});
