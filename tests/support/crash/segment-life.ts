import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseInitSegment } from "../../../src/common/mp4/init-segment.ts";
import { SegmentIndex } from "../../../src/common/mp4/segment-index.ts";
import { StreamSplitter } from "../../../src/common/mp4/stream-splitter.ts";
import type { SegmentStart } from "../../../src/edge/recorder/segment-sink.ts";
import type { Spool } from "../../../src/edge/spool/spool.ts";
import { PathDestination } from "../../../src/edge/uploader/path-destination.ts";
import { FakeClock } from "../fake-clock.ts";
import { sampleStart, sampleStartMs } from "../sample-recording.ts";
import { openLoadedSpool } from "../test-spool.ts";

/** The folder of one try: `spool/`, the archive in `videos/`, what the world outside knows in `oracle.jsonl`. */
export interface LifeSite {
  folder: string;
  /** Init segment and fragments as files. */
  media: string;
}

/** One line each: what was answered to the camera, and what the hub was told and has kept. */
export type OracleLine =
  | { kind: "appended"; videoId: string }
  | { kind: "pausing" | "paused" | "resuming" | "resumed" }
  | { kind: "announced"; video: { video_id: string; file_path: string; file_sha256: string } };

export const lifeFragments = 3;
export const pausedCamera = "cam02";

/**
 * A node from its start on: it repairs what it finds, records one segment before its clock is set and one after it
 * (both begin in the same second, so the archive has to give one of them `-2`), another camera being paused meanwhile,
 * and brings all there is through archive, hub and eviction.
 */
export async function liveOnce(site: LifeSite, options: { record: boolean }): Promise<void> {
  const clock = new FakeClock(31_000);
  let isSet = !options.record;
  const setClock = () => {
    clock.advance(2000);
    clock.step(sampleStartMs + 2000 - clock.wallMs());
    isSet = true;
  };
  using spool = await openLoadedSpool(join(site.folder, "spool"), {
    clock,
    fsyncIntervalMs: 0,
    maxAcknowledgedBytes: 0,
    dating: {
      boot: { bootId: "11111111-1111-4111-8111-111111111111", uptimeOffsetMs: 20_000 },
      clockSync: () => (isSet ? "synced" : "unsynced"),
      holdMs: 600_000,
    },
  });
  if (options.record) {
    const wallOffsetMs = clock.wallMs() - clock.monotonicMs();
    await record(spool, site, { startTimeMs: clock.wallMs(), wallOffsetMs, clockState: "unsynced" });
    note(site, { kind: "pausing" });
    await spool.pauses.set(pausedCamera);
    note(site, { kind: "paused" });
    setClock();
    await record(spool, site, { startTimeMs: sampleStartMs, sequence: 1 });
    note(site, { kind: "resuming" });
    await spool.pauses.clear(pausedCamera);
    note(site, { kind: "resumed" });
  } else {
    setClock();
  }
  await spool.redating.settle();
  await deliver(spool, site);
  await spool.pressure.relieve();
}

async function record(spool: Spool, site: LifeSite, overrides: Partial<SegmentStart>): Promise<void> {
  const start = sampleStart(overrides);
  const init = readFileSync(join(site.media, "init"));
  const index = new SegmentIndex(parseInitSegment(init));
  const splitter = new StreamSplitter();
  splitter.push(init);
  const segment = await spool.sink.open(start, init);
  for (let n = 0; n < lifeFragments; n++) {
    const bytes = readFileSync(join(site.media, String(n)));
    await segment.append(bytes);
    for (const unit of splitter.push(bytes)) if (unit.kind === "fragment") index.addFragment(unit.fragment);
    note(site, { kind: "appended", videoId: start.videoId });
  }
  const durationMs = lifeFragments * 400;
  await segment.close({
    endTimeMs: start.startTimeMs + durationMs,
    durationMs,
    fps: 10,
    clockState: start.clockState,
    endReason: "boundary",
    index,
  });
}

async function deliver(spool: Spool, site: LifeSite): Promise<void> {
  const destination = new PathDestination({ path: join(site.folder, "videos") });
  while (spool.uploads.waiting().length + spool.announcements.pending().length > 0) {
    for (const { videoId } of spool.uploads.waiting()) {
      const { sourcePath, tablesPath, identity } = await spool.uploads.load(videoId);
      const result = await destination.put({
        ...{ sourcePath, tablesPath, identity },
        expectedArchiveId: undefined,
      });
      await spool.uploads.markArchived(videoId, result);
    }
    for (const videoId of spool.announcements.pending()) {
      const video = await spool.announcements.load(videoId);
      if (!video) continue;
      note(site, { kind: "announced", video });
      await spool.announcements.markAcknowledged([videoId]);
    }
  }
}

function note(site: LifeSite, line: OracleLine): void {
  appendFileSync(join(site.folder, "oracle.jsonl"), `${JSON.stringify(line)}\n`);
}
