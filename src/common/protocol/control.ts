import * as v from "valibot";
import { ReportedAlert } from "./alert.ts";
import { CameraStatus, ConfigStatus, LinkStatus, SpoolStatus, SystemInfo, UploadStatus } from "./node.ts";
import { NonNegativeInteger } from "./wire.ts";

/** What a running node tells whoever controls it: people by its control socket, the hub by the link. */

export const EdgeStatus = v.object({
  node_id: v.string(),
  software_version: v.string(),
  config_version: v.string(),
  config: v.optional(ConfigStatus),
  started_at: v.string(),
  cameras: v.array(CameraStatus),
  spool: v.object({
    ...SpoolStatus.entries,
    quarantined_segments: NonNegativeInteger,
    conflicting_segments: NonNegativeInteger,
  }),
  uploads: UploadStatus,
  hub: v.object({
    url: v.string(),
    registered: v.boolean(),
    last_heartbeat_at: v.nullable(v.string()),
    last_error: v.nullable(v.string()),
    /** How long it took to answer the last heartbeat. */
    response_ms: v.optional(v.nullable(v.number())),
  }),
  link: v.optional(LinkStatus),
  archive: v.object({
    /** The one that the hub knows; null before it has told. */
    archive_id: v.nullable(v.string()),
    abandoned_workers: NonNegativeInteger,
  }),
  system: SystemInfo,
  error_counts: v.record(v.string(), NonNegativeInteger),
  /** What is wrong now, and what is over and the hub has not heard of. */
  alerts: v.optional(v.array(ReportedAlert)),
});
export type EdgeStatus = v.InferInput<typeof EdgeStatus>;

/** What putting a changed config in force came to. */
export const ReloadReport = v.object({
  /** Of what is in force now. */
  config_version: v.string(),
  /** Of the config file: what the next change is to be based on. Another one while settings wait for a restart. */
  wanted_version: v.string(),
  /** Settings that differ, and secrets whose content does: `cameras.cam01.source.fps`. */
  changes: v.array(v.object({ path: v.string(), effect: v.string() })),
  cameras: v.object({
    added: v.array(v.string()),
    removed: v.array(v.string()),
    /** Their captures began anew; the others did not notice. */
    restarted: v.array(v.string()),
  }),
  /** Settings that stay as they were until the edge is started again. */
  needs_restart: v.array(v.string()),
});
export type ReloadReport = v.InferInput<typeof ReloadReport>;

export const Upload = v.object({
  video_id: v.string(),
  camera_id: v.string(),
  start_time: v.string(),
  size_bytes: NonNegativeInteger,
  state: v.picklist(["uploading", "waiting", "held_back"]),
  /** 0 to 1. */
  progress: v.number(),
  /** Until it is archived; null while nobody can tell, and when it takes more than a week. */
  eta_seconds: v.nullable(NonNegativeInteger),
  last_error: v.nullable(v.string()),
});
export type Upload = v.InferInput<typeof Upload>;

export const UploadList = v.object({
  uploads: v.array(Upload),
  /** All that wait; the list has the first of them. */
  total: NonNegativeInteger,
});
export type UploadList = v.InferInput<typeof UploadList>;

export const ConnectionReport = v.variant("ok", [
  v.object({ ok: v.literal(true), archive_id: v.string(), free_bytes: v.nullable(NonNegativeInteger) }),
  v.object({ ok: v.literal(false), reason: v.string() }),
]);
export type ConnectionReport = v.InferInput<typeof ConnectionReport>;

/** What a camera can be told to deliver until the next start; what is not named stays. */
export const ConfigureRequest = v.pipe(
  v.strictObject({
    width: v.optional(v.pipe(v.number(), v.integer(), v.minValue(16), v.maxValue(8192))),
    height: v.optional(v.pipe(v.number(), v.integer(), v.minValue(16), v.maxValue(8192))),
    fps: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(240))),
    bitrate_bps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(50_000), v.maxValue(200_000_000))),
  }),
  v.check((settings) => Object.keys(settings).length > 0, "at least one of width, height, fps, bitrate_bps"),
  v.metadata({ minProperties: 1 }),
);
