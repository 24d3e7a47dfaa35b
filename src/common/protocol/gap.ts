import * as v from "valibot";
import { CameraId, VideoId } from "../ids.ts";
import { protocolVersion } from "./announce.ts";
import { PlainText, WireTime } from "./wire.ts";

/**
 * Why a camera has no video for a time. What the node cannot know (it had no power) it says when it is back, as the
 * time between the last thing it recorded and the first thing it recorded again.
 */
export const GapCause = v.picklist([
  "node_stopped", // the edge was ended by its operator
  "node_down", // the edge was not running: crash, power cut, reboot
  "camera_failed", // no fragments came: process ended, stalled, source away
  "paused",
  "reconfigured", // its settings were changed: the capture was started anew
  "disk_full", // the spool took no more
  "disk_error",
  "evicted_unsent", // recorded, then deleted before it was safe, by configuration
  "damaged", // recorded, then found to be unreadable before it was archived
  "clock_stepped", // the wall clock went forward: this time never was
  "unknown",
]);
export type GapCause = v.InferOutput<typeof GapCause>;

const causes: ReadonlySet<string> = new Set(GapCause.options);

/** A node of a newer release may tell causes that are not known here: kept as they are, they are read as `unknown`. */
export function knownGapCause(cause: string): GapCause {
  return causes.has(cause) ? (cause as GapCause) : "unknown";
}

/** One hole in what a camera should have recorded; [from, to), to the millisecond. */
export const ReportedGap = v.object({
  /** UUIDv7 of its start; the same gap has the same id in every report. */
  gap_id: VideoId,
  camera_id: CameraId,
  from_time: WireTime,
  to_time: WireTime,
  /** A {@link GapCause}, or one of a newer release. */
  cause: v.pipe(v.string(), v.maxLength(40), v.regex(/^[a-z][a-z_]*$/, "a cause such as camera_failed")),
  /** What happened, for people. */
  detail: PlainText(500),
});
export type ReportedGap = v.InferOutput<typeof ReportedGap>;

/** POST /api/nodes/{id}/gaps. Idempotent: a known id is left as it is. 200 with how many were new. */
export const GapReport = v.object({
  protocol_version: v.literal(protocolVersion),
  gaps: v.pipe(v.array(ReportedGap), v.minLength(1), v.maxLength(500)),
});
export type GapReport = v.InferInput<typeof GapReport>;

export const GapReportResponse = v.object({ stored: v.number(), known: v.number() });
export type GapReportResponse = v.InferOutput<typeof GapReportResponse>;
