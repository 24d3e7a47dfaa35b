import { open, rm, stat } from "node:fs/promises";
import { AppError } from "../../common/errors.ts";
import { newUuidV7 } from "../../common/ids.ts";
import { type SegmentScan, scanSegmentFile } from "../../common/mp4/segment-scan.ts";
import type { SegmentStart } from "../recorder/segment-sink.ts";
import { writeSegmentTables } from "../segment-tables.ts";
import type { ClockAnchor } from "./clock-anchor.ts";
import { hashFile } from "./file-hash.ts";
import type { SegmentName } from "./segment-name.ts";
import {
  type ClosedSegment,
  readSegmentRecord,
  type SegmentRecord,
  writeClosedRecord,
} from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";

/** What a segment whose record is lost is given; the rest stands in its name and its file. */
export interface RecoveryDefaults {
  nodeId: string;
  timeZone: string;
  softwareVersion: string;
}

export type Recovered =
  | {
      outcome: "closed";
      segment: ClosedSegment;
      tornBytes: number;
      rebuilt: boolean;
    }
  /** Not one whole fragment was in it. */
  | { outcome: "removed"; tornBytes: number }
  /** There are bytes, but not even their beginning can be read. */
  | { outcome: "unreadable" };

/**
 * Brings a segment that a crash left in `recording/` to `closed/`: drops the torn tail, and takes hash, duration and
 * frame rate from what is left. Interrupted at any point, it does the same again. Throws `io` when the disk refuses;
 * the segment then stays for the next try.
 */
export async function recoverRecording(
  layout: SpoolLayout,
  name: string,
  known: SegmentName,
  defaults: RecoveryDefaults,
): Promise<Recovered> {
  const directory = layout.directoryOf("recording", name);
  const path = layout.videoPathOf("recording", name);
  const record = await readSegmentRecord(directory);
  const trusted = record.kind === "none" || startOf(record).videoId !== known.videoId ? undefined : record;

  const scan = await scanOrNothing(path);
  if (scan === "unreadable") return { outcome: "unreadable" };
  if (scan === "empty" || scan.fragmentCount === 0) {
    await rm(directory, { recursive: true, force: true });
    return { outcome: "removed", tornBytes: scan === "empty" ? 0 : scan.tornBytes };
  }
  const alreadyClosed = trusted?.kind === "closed" && trusted.sizeBytes === scan.wholeBytes + scan.tornBytes;
  const closed = alreadyClosed
    ? trusted
    : await closeWhatIsWhole(path, scan, {
        start: trusted ? startOf(trusted) : rebuildStart(scan, known, defaults),
        anchor: trusted?.anchor,
      });
  if (!alreadyClosed) {
    await writeSegmentTables(layout.tablesPathOf("recording", name), scan.index, closed.identity);
    await writeClosedRecord(directory, closed);
  }
  await layout.move(name, "recording", "closed");
  return {
    outcome: "closed",
    segment: closed,
    tornBytes: alreadyClosed ? 0 : scan.tornBytes,
    rebuilt: trusted === undefined,
  };
}

async function closeWhatIsWhole(
  path: string,
  scan: SegmentScan,
  { start, anchor }: { start: SegmentStart; anchor: ClockAnchor | undefined },
): Promise<ClosedSegment> {
  const lastWriteMs = (await stat(path)).mtimeMs;
  const file = await open(path, "r+");
  try {
    if (scan.tornBytes > 0) await file.truncate(scan.wholeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
  const { durationMs, fps } = scan;
  return {
    identity: {
      ...start,
      endTimeMs: endOf(start.startTimeMs, durationMs, lastWriteMs),
      durationMs,
      fps,
      recordedSha256: await hashFile(path),
    },
    endReason: "crash",
    sizeBytes: scan.wholeBytes,
    anchor,
  };
}

/**
 * The start of a run's first segment was told before its clock had settled, and may be late by what the capture took
 * to start up; the last write was not before the end of what it wrote. Only so much of a correction is believed: a
 * wall clock may have been stepped, and an interrupted recovery writes too.
 */
function endOf(startTimeMs: number, durationMs: number, lastWriteMs: number): number {
  const endTimeMs = startTimeMs + durationMs;
  const isBelievable = lastWriteMs < endTimeMs && endTimeMs - lastWriteMs < maxLateStartMs;
  return isBelievable ? Math.max(startTimeMs, Math.floor(lastWriteMs)) : endTimeMs;
}

const maxLateStartMs = 5000;

/** A run of its own: what it continued is not known any more. */
function rebuildStart(scan: SegmentScan, known: SegmentName, defaults: RecoveryDefaults): SegmentStart {
  const { video, audio } = scan.init;
  return {
    ...defaults,
    videoId: known.videoId,
    cameraId: known.cameraId,
    runId: newUuidV7(known.startTimeMs),
    sequence: 0,
    startTimeMs: known.startTimeMs,
    codec: audio ? `${video.codec},${audio.codec}` : video.codec,
    width: video.width,
    height: video.height,
    // Nobody knows any more whether the clock was right.
    clockState: "unsynced",
  };
}

type KnownRecord = Exclude<SegmentRecord, { kind: "none" }>;

function startOf(record: KnownRecord): SegmentStart {
  return record.kind === "closed" ? record.identity : record.start;
}

/** A larger file that seems to end in its init segment is a damaged one, and may hold a recording. */
const longestTornInitBytes = 16_384;

async function scanOrNothing(path: string): Promise<SegmentScan | "empty" | "unreadable"> {
  try {
    return await scanSegmentFile(path);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "io") {
      throw new AppError("io", "cannot read a segment of the spool", { cause: error });
    }
    const sizeBytes = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    const isTornBeginning = error.details.endsInInit === true && sizeBytes < longestTornInitBytes;
    return sizeBytes === 0 || isTornBeginning ? "empty" : "unreadable";
  }
}
