import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { newUuidV7 } from "../../src/common/ids.ts";
import { formatSegmentName } from "../../src/edge/spool/segment-name.ts";
import { formatClosedRecord } from "../../src/edge/spool/segment-record.ts";
import type { SampleSegment } from "./sample-segment.ts";

export interface BacklogOptions {
  /** Of a node that does not run; made where it is not there. */
  spool: string;
  /** All segments are copies of this one, each with an identity of its own. */
  segment: Omit<SampleSegment, "sizeBytes">;
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
      const path = join(directory, "video.mp4");
      await copyFile(segment.path, path, constants.COPYFILE_FICLONE);
      const { spoolChecksum } = segment;
      const record = formatClosedRecord({ identity, endReason: "boundary", sizeBytes: size, spoolChecksum });
      await Bun.write(join(directory, "segment.json"), record);
      backlog.paths.push(path);
      backlog.videoIds.push(identity.videoId);
      backlog.sizeBytes += size;
    }
  }
  return backlog;
}
