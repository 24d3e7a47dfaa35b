import * as v from "valibot";
import { CameraId, VideoId } from "../ids.ts";
import { PlainText, PositiveInteger, WireTime } from "./wire.ts";

/** `critical`: footage is being lost, or soon will be. `warning`: somebody should look at it. */
export const AlertSeverity = v.picklist(["warning", "critical"]);
export type AlertSeverity = v.InferOutput<typeof AlertSeverity>;

/** What is wrong, as a word that stays: `camera_down`. A hub takes those that it does not know, too. */
export const AlertCode = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_]{1,47}$/, "2 to 48 characters of a-z, 0-9 and '_', starting with a letter"),
);

/** The figures in the message, by name with unit, so that a page can say it in another language. */
export const AlertParams = v.pipe(
  v.record(AlertCode, v.union([v.number(), PlainText(500)])),
  v.check((params) => Object.keys(params).length <= 12, "at most 12 params"),
);
export type AlertParams = v.InferOutput<typeof AlertParams>;

/**
 * Something that is wrong with a node, or was since the last heartbeat. One that comes and goes while the hub is away
 * is told as one, with how often it came.
 */
export const ReportedAlert = v.object({
  /** UUIDv7; the same one in every heartbeat until the hub was told that it is over. */
  alert_id: VideoId,
  code: AlertCode,
  severity: AlertSeverity,
  /** Null: of the whole node. */
  camera_id: v.nullable(CameraId),
  /** English, in a sentence. */
  message: PlainText(500),
  params: AlertParams,
  /** The first time, by the node's clock. */
  raised_at: WireTime,
  /** The last time; null while it goes on. */
  cleared_at: v.nullable(WireTime),
  /** How often it was raised from then till then. */
  count: PositiveInteger,
});
export type ReportedAlert = v.InferInput<typeof ReportedAlert>;

/** More at once than these are not told; the most severe are. */
export const maxReportedAlerts = 200;
