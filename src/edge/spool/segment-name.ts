import { archiveStem, parseArchivePath } from "../../common/archive-path.ts";
import { localTimeOf } from "../../common/time-zone.ts";

/** What the name of a segment's directory tells, even when nothing in it can be read any more. */
export interface SegmentName {
  cameraId: string;
  videoId: string;
  /** From the UUIDv7, to the millisecond. */
  startTimeMs: number;
}

/** `cam01_20250923_153000_01997…`: readable in `ls`, and unique by the id even where local times repeat. */
export function formatSegmentName(start: {
  cameraId: string;
  videoId: string;
  startTimeMs: number;
  timeZone: string;
}): string {
  const local = localTimeOf(start.startTimeMs, start.timeZone);
  return `${archiveStem({ cameraId: start.cameraId, local, attempt: 1 })}_${start.videoId}`;
}

const pattern =
  /^(([a-z0-9][a-z0-9_-]*)_(\d{4})(\d\d)(\d\d)_\d{6})_([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/;

/** Undefined for anything that {@link formatSegmentName} does not write. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = pattern.exec(name);
  if (!match) return undefined;
  const [, stem, cameraId = "", year, month, day, videoId = ""] = match;
  if (!parseArchivePath(`${cameraId}/${year}-${month}-${day}/${stem}.mp4`)) return undefined;
  return { cameraId, videoId, startTimeMs: Number.parseInt(videoId.replace("-", "").slice(0, 12), 16) };
}
