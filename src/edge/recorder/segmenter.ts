import { zoneOffsetMs } from "../../common/time-zone.ts";

/**
 * The first instant after `wallMs` at which a segment is to end: local time in `timeZone` is a multiple of
 * `segmentSeconds`, a divisor of 3600, from the full hour on. Where the zone's offset changes, the boundaries of the
 * new offset hold from then on, so a segment over a change may be shorter or, by less than a segment, longer.
 */
export function nextBoundary(wallMs: number, timeZone: string, segmentSeconds: number): number {
  const lengthMs = segmentSeconds * 1000;
  const before = zoneOffsetMs(wallMs, timeZone);
  const regular = firstMultipleAfter(wallMs, before, lengthMs);
  const after = zoneOffsetMs(regular, timeZone);
  if (after === before) return regular;
  // The offset changes on the way. Its new boundaries count from the change on, which lies after `wallMs`.
  let boundary = firstMultipleAfter(wallMs, after, lengthMs);
  while (zoneOffsetMs(boundary, timeZone) !== after) boundary += lengthMs;
  return boundary;
}

function firstMultipleAfter(wallMs: number, offsetMs: number, lengthMs: number): number {
  return (Math.floor((wallMs + offsetMs) / lengthMs) + 1) * lengthMs - offsetMs;
}

/** A fragment as the segmenter sees it, on the run's clock. */
export interface FragmentTiming {
  startsAtMs: number;
  startsWithKeyframe: boolean;
}

/** Whether a segment that is to end at `boundaryMs` ends before this fragment. Never in the middle of a GOP. */
export function endsBefore(boundaryMs: number, fragment: FragmentTiming): boolean {
  return fragment.startsWithKeyframe && fragment.startsAtMs >= boundaryMs;
}
