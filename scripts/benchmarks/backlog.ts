import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { newUuidV7 } from "../../src/common/ids.ts";
import type { SegmentIndex } from "../../src/common/mp4/segment-index.ts";
import { writeSegmentTables } from "../../src/edge/segment-tables.ts";
import { formatSegmentName } from "../../src/edge/spool/segment-name.ts";
import { formatClosedRecord } from "../../src/edge/spool/segment-record.ts";
import { tablesFile, videoFile } from "../../src/edge/spool/spool-layout.ts";
import type { SampleSegment } from "./sample-segment.ts";

export interface BacklogOptions {
  /** Of a node that does not run; made where it is not there. */
  spool: string;
  /** All segments are copies of this one, each with an identity of its own; without `index`, as an older release left them. */
  segment: Omit<SampleSegment, "sizeBytes" | "index"> & { index?: SegmentIndex };
  cameraIds: readonly string[];
  segmentsPerCamera: number;
  /** From the start of one segment to the start of the next. */
  everyMs: number;
  /** Of the first ones. */
  startTimeMs: number;
}

export interface Backlog {
  /** Paths of the video files, in the order of their time. */
  paths: string[];
  videoIds: string[];
  sizeBytes: number;
}

/** Fills a spool with closed segments, as they wait there after an outage. */
export async function makeBacklog(options: BacklogOptions): Promise<Backlog> {
  const { spool, segment, cameraIds, segmentsPerCamera, everyMs, startTimeMs } = options;
  const { size } = Bun.file(segment.path);
  const backlog: Backlog = { paths: [], videoIds: [], sizeBytes: 0 };
  for (let sequence = 0; sequence < segmentsPerCamera; sequence++) {
    for (const cameraId of cameraIds) {
      const startMs = startTimeMs + sequence * everyMs;
      const identity = {
        ...segment.identity,
        ...{ cameraId, sequence, startTimeMs: startMs, videoId: newUuidV7(startMs) },
        endTimeMs: startMs + segment.identity.durationMs,
      };
      const directory = join(spool, "closed", formatSegmentName(identity));
      await mkdir(directory, { recursive: true });
      const path = join(directory, videoFile);
      await copyFile(segment.path, path, constants.COPYFILE_FICLONE);
      const { spoolChecksum, index } = segment;
      if (index) await writeSegmentTables(join(directory, tablesFile), index, identity);
      const record = formatClosedRecord({ identity, endReason: "boundary", sizeBytes: size, spoolChecksum });
      await Bun.write(join(directory, "segment.json"), record);
      backlog.paths.push(path);
      backlog.videoIds.push(identity.videoId);
      backlog.sizeBytes += size;
    }
  }
  return backlog;
}
