import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArchivePath } from "../../../src/common/archive-path.ts";
import { createLogger } from "../../../src/common/log.ts";
import { instantsOf } from "../../../src/common/time-zone.ts";
import { Recorder } from "../../../src/edge/recorder/recorder.ts";
import { PathDestination } from "../../../src/edge/uploader/path-destination.ts";
import { makeArchive } from "../../contract/archive-destination.contract.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { madeFragment, madeInit } from "../../support/made-fragments.ts";
import { sampleRecording, temporaryFolder } from "../../support/sample-recording.ts";
import { openLoadedSpool } from "../../support/test-spool.ts";

/** As long as a fragment may be, so that an hour is thirty files of one fragment each. */
const segmentMs = 120_000;

/** Records through recorder and spool into an archive; the clock may be set on the way. Paths in order of recording. */
async function recordAndArchive(
  folder: string,
  of: { from: string; timeZone: string; segments: number; stepMs?: number },
) {
  const { init, fragments } = await sampleRecording();
  const bytes = fragments[0]!;
  const clock = new FakeClock(Date.parse(of.from));
  using spool = await openLoadedSpool(join(folder, "spool"), { clock, fsyncIntervalMs: 60_000_000 });
  const recorder = new Recorder({
    ...{ cameraId: "cam01", nodeId: "node01", timeZone: of.timeZone, segmentSeconds: segmentMs / 1000 },
    ...{ softwareVersion: "0.0.0-test", sink: spool.sink, clock, clockSync: () => "synced" as const },
    logger: createLogger("recorder"),
  });
  recorder.start();
  await recorder.onRunStart({ ...madeInit, bytes: init.bytes });
  for (let n = 0; n < of.segments; n++) {
    if (n === of.segments >> 1) clock.step(of.stepMs ?? 0);
    clock.advance(segmentMs);
    const fragment = { ...madeFragment({ startMs: n * segmentMs, durationMs: segmentMs }), bytes };
    await recorder.onFragment(fragment, { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
  }
  await recorder.stop();

  const archive = join(folder, "videos");
  await mkdir(archive);
  await makeArchive(archive);
  const destination = new PathDestination({ path: archive });
  const archived = [];
  for (const { videoId } of spool.uploads.waiting()) {
    const { sourcePath, identity } = await spool.uploads.load(videoId);
    const { filePath, alreadyThere } = await destination.put({
      ...{ sourcePath, identity, expectedArchiveId: undefined },
    });
    expect(alreadyThere).toBe(false);
    await spool.uploads.markArchived(videoId, {
      ...{ archiveId: "01997000-0000-7000-8000-0000000000aa", filePath, alreadyThere },
      ...{ fileSizeBytes: 1, fileSha256: "ab".repeat(32) },
    });
    archived.push({ ...identity, filePath });
  }
  return archived;
}

const nameOf = (filePath: string) => /_(\d{6}(?:-\d)?)\.mp4$/.exec(filePath)?.[1] ?? "";

test.each([
  ["Europe/Berlin", "2025-03-30T00:40:00.000Z", "goes forward"],
  ["America/New_York", "2025-03-09T06:40:00.000Z", "goes forward"],
  ["Europe/Berlin", "2025-10-26T00:00:00.000Z", "goes back"],
  ["America/New_York", "2025-11-02T05:00:00.000Z", "goes back"],
  ["Asia/Seoul", "2025-10-26T00:00:00.000Z", "stays"],
] as const)(
  "local time of %s on %s %s: every name is that of its time, and none is taken twice",
  async (timeZone, from, change) => {
    await using folder = await temporaryFolder();
    const segments = change === "goes back" ? 65 : 30;
    const archived = await recordAndArchive(folder.path, { from, timeZone, segments });
    expect(archived).toHaveLength(segments);
    expect(new Set(archived.map(({ filePath }) => filePath)).size).toBe(segments);
    for (const [i, { filePath, startTimeMs, endTimeMs }] of archived.entries()) {
      const parts = parseArchivePath(filePath)!;
      expect(instantsOf(parts.local, timeZone)).toContain(startTimeMs - (startTimeMs % 1000));
      const next = archived[i + 1];
      if (next) expect(next.startTimeMs).toBe(endTimeMs);
    }
    const names = archived.map(({ filePath }) => nameOf(filePath));
    const second = names.filter((name) => name.endsWith("-2"));
    // The hour that comes twice.
    expect(second).toHaveLength(change === "goes back" ? 30 : 0);
    for (const name of second) expect(names.indexOf(name.slice(0, 6))).toBe(names.indexOf(name) - 30);
    if (change === "goes forward") expect(names.filter((name) => name.startsWith("02"))).toEqual([]);
  },
);

test.each([-3_600_000, 3_600_000])("a clock that is set by %d ms replaces no file", async (stepMs) => {
  await using folder = await temporaryFolder();
  const from = "2025-09-23T06:00:00.000Z";
  const archived = await recordAndArchive(folder.path, {
    ...{ from, timeZone: "Asia/Seoul", segments: 70, stepMs },
  });
  expect(archived).toHaveLength(70);
  expect(new Set(archived.map(({ filePath }) => filePath)).size).toBe(70);
  const runs = Map.groupBy(archived, ({ runId }) => runId);
  expect(runs.size).toBe(2);
  for (const run of runs.values()) {
    run.sort((a, b) => a.sequence - b.sequence);
    for (const [i, segment] of run.entries()) {
      if (i > 0) expect(segment.startTimeMs).toBe(run[i - 1]!.endTimeMs);
    }
  }
  const second = archived.filter(({ filePath }) => filePath.endsWith("-2.mp4"));
  // 35 segments before the step, of which the hour back meets the last thirty.
  if (stepMs < 0) expect(second.length).toBeGreaterThanOrEqual(29);
  else expect(second).toEqual([]);
});
