import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sleep } from "../../src/common/clock.ts";
import { makeBacklog } from "./backlog.ts";
import type { BenchmarkContext } from "./benchmark.ts";
import { type RunningHub, startEdge } from "./livecam-programs.ts";
import { readProcessTree } from "./process-usage.ts";
import { makeSampleSegment } from "./sample-segment.ts";

const cameraId = "cam98";
const pollMs = 50;

export interface UploadCost {
  /** Of the segment, in media time. */
  seconds: number;
  sizeBytes: number;
  /** Of the upload worker, its start included. */
  workerCpuSeconds: number;
}

/** What the upload of one segment as long as the default takes; in smaller scales of a shorter one. */
export async function measureUpload(
  context: BenchmarkContext,
  setUp: { edge: string; hub: RunningHub; archiveDir: string },
): Promise<UploadCost> {
  const { scratch, scale, signal } = context;
  const segment = await makeSampleSegment(scratch, scale, signal);
  const folder = join(scratch, "upload");
  const spool = join(folder, "spool");
  await makeBacklog({
    ...{ spool, segment, cameraIds: [cameraId], segmentsPerCamera: 1 },
    ...{ everyMs: 600_000, startTimeMs: Date.UTC(2025, 8, 23) },
  });
  await using edge = await startEdge({
    ...{ edge: setUp.edge, folder, archiveDir: setUp.archiveDir, signal },
    ...{ hubUrl: setUp.hub.url, nodeKey: setUp.hub.nodeKey, segmentSeconds: 3600 },
    // As little as there can be.
    cameras: [{ id: "cam99", source: { type: "test", width: 160, height: 120, fps: 1, bitrate: 50_000 } }],
  });
  const isThere = async (state: string) =>
    (await readdir(join(spool, state))).some((name) => name.includes(cameraId));
  let workerCpuSeconds = 0;
  while ((await isThere("closed")) || (await isThere("archived"))) {
    signal.throwIfAborted();
    await sleep(pollMs, signal);
  }
  for (const one of await readProcessTree(edge.pid)) {
    if (one.pid !== edge.pid && one.name !== "ffmpeg") workerCpuSeconds += one.cpuSeconds;
  }
  return { seconds: segment.identity.durationMs / 1000, sizeBytes: segment.sizeBytes, workerCpuSeconds };
}
