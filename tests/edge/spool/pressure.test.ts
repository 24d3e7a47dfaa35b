import { expect } from "bun:test";
import { readdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PressurePolicy } from "../../../src/edge/spool/pressure.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { recordSample, sampleRecording, sampleStart, sampleStartMs } from "../../support/sample-recording.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";
import { openLoadedSpool } from "../../support/test-spool.ts";

const testAsRoot = testIf(canMount, "mounting needs root");
const diskBytes = 2 * 1024 * 1024;

/** A policy that remembers what it was asked. */
function policyOf(changes: Partial<PressurePolicy> = {}) {
  const asked: boolean[] = [];
  const policy: PressurePolicy = {
    whenFull: "stop_recording",
    bytesPerSecond: () => 1000,
    compress: async (isCompressed) => void asked.push(isCompressed),
    isUploading: () => false,
    ...changes,
  };
  return { policy, asked };
}

/** Leaves so many bytes free; returns how to take it away. */
async function ballast(path: string, freeBytes: number): Promise<() => Promise<void>> {
  const { bavail, bsize } = await statfs(path);
  await writeFile(join(path, "ballast"), new Uint8Array(Math.max(0, bavail * bsize - freeBytes)));
  return () => rm(join(path, "ballast"));
}

testAsRoot("a disk that fills: less of the cameras, then nothing, and back again, in order", async () => {
  await using disk = await mountSmallDisk(diskBytes);
  const { policy, asked } = policyOf();
  const clock = new FakeClock(sampleStartMs);
  using spool = await openLoadedSpool(disk.path, { pressure: policy, clock });
  spool.gaps.expect(["cam01"]);
  await spool.gaps.settle(async () => []);
  await recordSample(spool.sink);
  await spool.pressure.relieve();
  expect(spool.status()).toMatchObject({ pressure: "none", pressure_counts: { compressed: 0, stopped: 0 } });
  expect(spool.status().horizon_seconds).toBeGreaterThan(1500);

  const room = await ballast(disk.path, 300_000);
  await spool.pressure.relieve();
  expect(spool.status()).toMatchObject({ pressure: "compressed", pressure_counts: { compressed: 1 } });
  expect(asked).toEqual([true]);
  clock.advance(2000);
  await recordSample(spool.sink, { sequence: 1 });

  await room();
  const fuller = await ballast(disk.path, 90_000);
  await spool.pressure.relieve();
  expect(spool.status()).toMatchObject({ pressure: "stopped", horizon_seconds: 0, lost_segments: 0 });
  const { init } = await sampleRecording();
  await expect(spool.sink.open(sampleStart({ sequence: 2 }), init.bytes)).rejects.toMatchObject({
    code: "io",
    details: { errno: "ENOSPC" },
  });
  clock.advance(1_800_000);
  // Nothing that waits was touched.
  expect(spool.uploads.waiting()).toHaveLength(2);

  await fuller();
  await spool.pressure.relieve();
  clock.advance(2000);
  await recordSample(spool.sink, { sequence: 3 });
  expect(spool.status()).toMatchObject({
    pressure: "none",
    pressure_counts: { evicted: 0, compressed: 1, stopped: 1, overwritten: 0 },
  });
  expect(asked).toEqual([true, false]);
  await spool.gaps.flush();
  expect(spool.gapReports.pending().map(({ cause }) => cause)).toContain("disk_full");
});

testAsRoot(
  "where the oldest is to go, it goes only when nothing acknowledged is left, and is told as lost",
  async () => {
    await using disk = await mountSmallDisk(diskBytes);
    const uploading = new Set<string>();
    const { policy } = policyOf({
      whenFull: "overwrite_oldest_unsent",
      isUploading: (videoId) => uploading.has(videoId),
    });
    const ids: string[] = [];
    {
      using spool = await openLoadedSpool(disk.path, { pressure: policy });
      for (let sequence = 0; sequence < 6; sequence++) {
        const { start } = await recordSample(spool.sink, { sequence });
        ids.push(start.videoId);
      }
      const [acknowledged = "", archived = "", busy = "", oldest = ""] = ids;
      for (const videoId of [acknowledged, archived]) {
        await spool.uploads.markArchived(videoId, {
          archiveId: "01997000-0000-7000-8000-0000000000aa",
          filePath: "cam01/2025-09-23/cam01_20250923_153000.mp4",
          fileSizeBytes: 1000,
          fileSha256: "ab".repeat(32),
          alreadyThere: false,
        });
      }
      await spool.announcements.markAcknowledged([acknowledged]);
      uploading.add(busy);
      await ballast(disk.path, 60_000);
      await spool.pressure.relieve();
      expect(await readdir(join(disk.path, "acknowledged"))).toEqual([]);
      const lost = spool.status().lost_segments;
      expect(lost).toBeGreaterThan(0);
      expect(spool.uploads.waiting().map(({ videoId }) => videoId)).toEqual([busy, ...ids.slice(3 + lost)]);
      expect(spool.announcements.pending()).toEqual([archived]);
      expect(spool.status()).toMatchObject({
        pressure: "compressed",
        pressure_counts: { evicted: 1, stopped: 0, overwritten: lost },
      });
      expect(spool.gapReports.pending()).toHaveLength(lost);
      expect(spool.gapReports.pending()[0]).toMatchObject({
        gap_id: oldest,
        camera_id: "cam01",
        from_time: new Date(sampleStartMs + 3 * 600_000).toISOString(),
        to_time: new Date(sampleStartMs + 3 * 600_000 + 2000).toISOString(),
        cause: "evicted_unsent",
      });
      // The same again finds enough room.
      await spool.pressure.relieve();
      expect(spool.status().lost_segments).toBe(lost);
    }
    using spool = await openLoadedSpool(disk.path);
    const { lost_segments: lost, ...status } = spool.status();
    expect(spool.gapReports.pending()).toHaveLength(lost);
    expect(status).toMatchObject({ waiting_segments: 4 - lost, quarantined_segments: 0 });
  },
);
