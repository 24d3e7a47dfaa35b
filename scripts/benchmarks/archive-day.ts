import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { newUuidV7 } from "../../src/common/ids.ts";
import { FragmentRetimer } from "../../src/hub/export/retime-fragments.ts";
import { type ArchivedSample, archiveSample } from "./archive-sample.ts";
import type { Scale } from "./benchmark.ts";
import type { RunningHub } from "./livecam-programs.ts";
import { makeSampleSegment } from "./sample-segment.ts";

export interface DayRecipe {
  cameraId: string;
  startTimeMs: number;
  files: number;
  bitsPerSecond: number;
}

export interface ArchivedDay {
  videos: ArchivedSample[];
  fromMs: number;
  toMs: number;
  fileMs: number;
}

/** Files of one unbroken run, as a camera makes them in a day: the same pictures, and times that go on from file to file. */
export async function archiveDay(
  { cameraId, startTimeMs, files, bitsPerSecond }: DayRecipe,
  where: { scale: Scale; scratch: string; archiveDir: string; hub: RunningHub; signal: AbortSignal },
): Promise<ArchivedDay> {
  const { scale, archiveDir, hub, signal } = where;
  const folder = join(where.scratch, `day-of-${cameraId}`);
  await mkdir(folder);
  const { path, identity, index } = await makeSampleSegment(folder, scale, signal, { bitsPerSecond });
  const { durationMs } = identity;
  const { trackId, timescale } = index.init.video;
  const deltas = new Map([[trackId, Math.round((durationMs * timescale) / 1000)]]);
  const headBytes = index.init.bytes.length;
  const bytes = await Bun.file(path).bytes();
  const videos: ArchivedSample[] = [];
  for (let sequence = 0; sequence < files; sequence++) {
    signal.throwIfAborted();
    if (sequence > 0) {
      new FragmentRetimer(deltas, headBytes).retime(bytes.subarray(headBytes), headBytes);
      await Bun.write(path, bytes);
    }
    const fromMs = startTimeMs + sequence * durationMs;
    const when = { startTimeMs: fromMs, endTimeMs: fromMs + durationMs, sequence };
    const own = { ...identity, ...when, cameraId, videoId: newUuidV7(fromMs) };
    videos.push(await archiveSample({ path, identity: own }, archiveDir, hub));
  }
  await rm(folder, { recursive: true });
  return { videos, fromMs: startTimeMs, toMs: startTimeMs + files * durationMs, fileMs: durationMs };
}
