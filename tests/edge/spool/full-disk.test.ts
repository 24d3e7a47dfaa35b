import { expect } from "bun:test";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  recordSample,
  sampleRecording,
  sampleStart,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";
import { openLoadedSpool, openTestSpool } from "../../support/test-spool.ts";

const testAsRoot = testIf(canMount, "mounting needs root");
const end = {
  endTimeMs: 0,
  durationMs: 2000,
  fps: 10,
  clockState: "synced" as const,
  endReason: "disk full",
};
const diskBytes = 1024 * 1024;

testAsRoot("a full disk fails the append, and what was written before is closed whole", async () => {
  await using disk = await mountSmallDisk(diskBytes);
  using spool = await openTestSpool(disk.path);
  const { init, fragments } = await sampleRecording();
  const start = sampleStart();
  const segment = await spool.sink.open(start, init.bytes);
  await segment.append(fragments[0]!);
  const before = segment.sizeBytes;
  await writeFile(join(disk.path, "ballast"), new Uint8Array(diskBytes)).catch(() => undefined);
  const large = new Uint8Array(200_000);
  await expect(segment.append(large)).rejects.toMatchObject({ code: "io", details: { errno: "ENOSPC" } });
  await expect(segment.append(fragments[1]!)).rejects.toMatchObject({ code: "io" });
  expect(segment.sizeBytes).toBe(before);

  // A full tmpfs takes no record either: the close fails, and is made up for when there is room.
  const closing = segment.close({ ...end, endTimeMs: start.startTimeMs + 400 });
  await expect(closing).rejects.toMatchObject({ code: "io" });
  await expect(spool.upkeep.finishLate()).rejects.toMatchObject({ code: "ENOSPC" });
  expect(spool.uploads.waiting()).toEqual([]);
  await rm(join(disk.path, "ballast"));
  await spool.upkeep.finishLate();
  expect(spool.uploads.waiting()).toMatchObject([{ videoId: start.videoId, sizeBytes: before }]);
  expect(await readdir(join(disk.path, "recording"))).toEqual([]);
  const { sourcePath } = await spool.uploads.load(start.videoId);
  expect(Buffer.compare(await Bun.file(sourcePath).bytes(), Buffer.concat([init.bytes, fragments[0]!]))).toBe(
    0,
  );
});

testAsRoot("no segment can be opened on a full disk, and nothing is left of the try", async () => {
  await using disk = await mountSmallDisk(diskBytes);
  using spool = await openTestSpool(disk.path);
  await writeFile(join(disk.path, "ballast"), new Uint8Array(diskBytes)).catch(() => undefined);
  const { init } = await sampleRecording();
  await expect(spool.sink.open(sampleStart(), init.bytes)).rejects.toMatchObject({ code: "io" });
  expect(await readdir(join(disk.path, "recording"))).toEqual([]);
  await rm(join(disk.path, "ballast"));
  await recordSample(spool.sink);
  expect(spool.uploads.waiting()).toHaveLength(1);
});

testAsRoot("acknowledged segments make room when the disk is nearly full", async () => {
  await using disk = await mountSmallDisk(2 * diskBytes);
  using spool = await openTestSpool(disk.path, { maxAcknowledgedBytes: 1e12 });
  for (let sequence = 0; sequence < 6; sequence++) {
    const { start } = await recordSample(spool.sink, { sequence });
    await spool.uploads.markArchived(start.videoId, {
      archiveId: "01997000-0000-7000-8000-0000000000aa",
      filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
      fileSizeBytes: 1000,
      fileSha256: "ab".repeat(32),
      alreadyThere: false,
    });
    if (sequence < 4) await spool.announcements.markAcknowledged([start.videoId]);
  }
  await spool.pressure.relieve();
  expect(await readdir(join(disk.path, "acknowledged"))).toHaveLength(4);
  const ballast = 2 * diskBytes - 6 * 80_000 - 100_000;
  await writeFile(join(disk.path, "ballast"), new Uint8Array(ballast));
  await spool.pressure.relieve();
  expect((await readdir(join(disk.path, "acknowledged"))).length).toBeLessThan(4);
  // What is not acknowledged stays, however full the disk is.
  expect(await readdir(join(disk.path, "archived"))).toHaveLength(2);
});

testAsRoot("a spool on a full disk still starts and finds its segments", async () => {
  await using disk = await mountSmallDisk(diskBytes);
  await using _folder = await temporaryFolder();
  {
    using spool = await openTestSpool(disk.path);
    await recordSample(spool.sink);
  }
  await writeFile(join(disk.path, "ballast"), new Uint8Array(diskBytes)).catch(() => undefined);
  using spool = await openLoadedSpool(disk.path);
  expect(spool.uploads.waiting()).toHaveLength(1);
});

testAsRoot("footage leaves room for what says that it is archived", async () => {
  await using disk = await mountSmallDisk(2 * diskBytes);
  using spool = await openTestSpool(disk.path);
  const { init, fragments } = await sampleRecording();
  const start = sampleStart();
  const segment = await spool.sink.open(start, init.bytes);
  const fill = async () => {
    for (;;) await segment.append(fragments[0]!);
  };
  await expect(fill()).rejects.toMatchObject({ code: "io", details: { errno: "ENOSPC" } });
  await segment.close({ ...end, endTimeMs: start.startTimeMs + 1000 });
  await spool.uploads.markArchived(start.videoId, {
    archiveId: "01997000-0000-7000-8000-0000000000aa",
    filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
    fileSizeBytes: 1000,
    fileSha256: "ab".repeat(32),
    alreadyThere: false,
  });
  await spool.announcements.markAcknowledged([start.videoId]);
  await spool.pressure.relieve();
  await recordSample(spool.sink, { sequence: 1 });
});
