import * as v from "valibot";
import { ArchiveId, CameraId, NodeId } from "../ids.ts";
import { maxReportedAlerts, ReportedAlert } from "./alert.ts";
import { protocolVersion } from "./announce.ts";
import { NonNegativeInteger, PlainText, TimeZone, WireTime } from "./wire.ts";

/** What a camera is doing. `stalled`: the process lives, fragments do not come. `retrying`: waiting to start again. */
export const CameraState = v.picklist(["starting", "recording", "paused", "stalled", "retrying", "stopped"]);
export type CameraState = v.InferOutput<typeof CameraState>;

const nullable = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);
const share = v.pipe(v.number(), v.minValue(0));

/** What the firmware of a Raspberry Pi complains about (`vcgencmd get_throttled`). */
export const ThrottlingFlags = v.object({
  under_voltage: v.boolean(),
  /** The processor's clock is capped. */
  frequency_capped: v.boolean(),
  throttled: v.boolean(),
  soft_temperature_limit: v.boolean(),
});
export type ThrottlingFlags = v.InferOutput<typeof ThrottlingFlags>;

export const Throttling = v.object({ now: ThrottlingFlags, since_boot: ThrottlingFlags });
export type Throttling = v.InferOutput<typeof Throttling>;

/** Whether the machine's clock can be believed. */
export const ClockStatus = v.object({
  /** `unknown`: nothing here tells whether NTP has set it. */
  state: v.picklist(["synced", "unsynced", "unknown"]),
  /** Who says so: `systemd-timesyncd`, `timedatectl`, `chrony`, `config`; null while nobody does. */
  source: nullable(PlainText(32)),
  /** How far it is ahead of the hub's, in ms, to half the time that a request takes; null until one was answered. */
  ahead_of_hub_ms: nullable(v.pipe(v.number(), v.safeInteger())),
});
export type ClockStatus = v.InferOutput<typeof ClockStatus>;

/** The machine; null where this machine cannot tell. Sizes in bytes, shares from 0 to 1. */
export const SystemInfo = v.object({
  hostname: PlainText(255),
  model: nullable(PlainText(128)),
  os: PlainText(128),
  cpu_count: NonNegativeInteger,
  cpu_usage: nullable(share),
  load_1m: nullable(share),
  memory_total_bytes: NonNegativeInteger,
  memory_available_bytes: NonNegativeInteger,
  process_rss_bytes: NonNegativeInteger,
  /** Processor time of livecam-edge since its start, user and system. */
  process_cpu_seconds: v.optional(share),
  spool_total_bytes: nullable(NonNegativeInteger),
  spool_free_bytes: nullable(NonNegativeInteger),
  temperature_celsius: nullable(v.number()),
  network_received_bytes: nullable(NonNegativeInteger),
  network_sent_bytes: nullable(NonNegativeInteger),
  uptime_seconds: NonNegativeInteger,
  /** Null where the machine is no Raspberry Pi, or does not tell. */
  throttling: v.optional(nullable(Throttling)),
  clock: v.optional(ClockStatus),
});
export type SystemInfo = v.InferOutput<typeof SystemInfo>;

export const CameraStatus = v.object({
  camera_id: CameraId,
  state: CameraState,
  /** Why it is not recording, or the last thing that went wrong. */
  message: nullable(PlainText(500)),
  width: nullable(NonNegativeInteger),
  height: nullable(NonNegativeInteger),
  codec: nullable(PlainText(64)),
  fps: nullable(share),
  /** What the camera is asked for; null where its stream is taken as it comes. */
  fps_asked: v.optional(nullable(share)),
  bitrate_bps: nullable(NonNegativeInteger),
  last_fragment_at: nullable(WireTime),
  run_started_at: nullable(WireTime),
  restarts: NonNegativeInteger,
  /** Of them, those since the last fragment. */
  failures_in_row: v.optional(NonNegativeInteger),
  /** Pictures come, and the spool takes none of them. */
  spool_failing: v.optional(v.boolean()),
  /** It gives nothing since then, and a picture that says so is recorded in its place; `state` tells of the camera itself. */
  fallback_since: v.optional(nullable(WireTime)),
  /** While `paused`: since when, through restarts of the node; null also where no clock told it. */
  paused_since: v.optional(nullable(WireTime)),
});
export type CameraStatus = v.InferOutput<typeof CameraStatus>;

/** The queue on the node: segments closed but not archived, archived but not acknowledged. */
export const SpoolStatus = v.object({
  waiting_segments: NonNegativeInteger,
  waiting_bytes: NonNegativeInteger,
  unacknowledged_segments: NonNegativeInteger,
  oldest_waiting_at: nullable(WireTime),
  /** Segments that were deleted before they were safe, since the spool was made. */
  lost_segments: NonNegativeInteger,
  /** Damaged ones, set aside for people. */
  quarantined_segments: v.optional(NonNegativeInteger),
  /** Archived ones that the hub will not have: it has something else under their id or path. */
  conflicting_segments: v.optional(NonNegativeInteger),
  /** How long recording goes on at today's bitrate when nothing leaves the node; null while that is not known. */
  horizon_seconds: v.optional(nullable(NonNegativeInteger)),
  /** What the node does against a disk that fills: asks the cameras for less, takes nothing new. */
  pressure: v.optional(v.picklist(["none", "compressed", "stopped"])),
  /** How often each step against a full disk was taken, since start. */
  pressure_counts: v.optional(
    v.object({
      evicted: NonNegativeInteger,
      compressed: NonNegativeInteger,
      stopped: NonNegativeInteger,
      overwritten: NonNegativeInteger,
    }),
  ),
});
export type SpoolStatus = v.InferOutput<typeof SpoolStatus>;

/** How the uploads go. */
export const UploadStatus = v.object({
  state: v.picklist(["idle", "uploading", "retrying", "outside_window"]),
  /** Over the last minutes of uploading. */
  bytes_per_second: nullable(NonNegativeInteger),
  /** Until all that waits now is archived; null while nobody can tell, and when it takes more than a week. */
  eta_seconds: nullable(NonNegativeInteger),
  /** Of the uploads since the last one that succeeded. */
  last_error: nullable(PlainText(500)),
  /** Since when every upload fails; null while they do not, or nothing waits. */
  failing_since: v.optional(nullable(WireTime)),
  /** How the last upload found the archive: `other_archive` is not the hub's, `failing` is there and takes nothing. */
  archive: v.optional(v.picklist(["unknown", "reachable", "unreachable", "other_archive", "failing"])),
  /** Uploads since start that reached the archive, and tries that did not. */
  succeeded: v.optional(NonNegativeInteger),
  failed: v.optional(NonNegativeInteger),
});
export type UploadStatus = v.InferOutput<typeof UploadStatus>;

/** Which config the node goes by, and what of its config file is not in force. */
export const ConfigStatus = v.object({
  /** Of what is in force. */
  version: PlainText(64),
  /** Of what the file says; another one while settings wait for a restart. */
  wanted_version: PlainText(64),
  /** Paths of the settings that wait: `system.spool_path`. */
  needs_restart: v.pipe(v.array(PlainText(200)), v.maxLength(200)),
  /** Why a newer file is not in force; null when none is refused. */
  refusal: nullable(PlainText(500)),
});
export type ConfigStatus = v.InferOutput<typeof ConfigStatus>;

/** The node's WebSocket to the hub, on which the hub asks things of it. */
export const LinkStatus = v.object({
  /** False by the config: the hub cannot ask anything of this node. */
  enabled: v.boolean(),
  connected: v.boolean(),
  /** Since when it is, or is not; null before the first connection. */
  since: nullable(WireTime),
  /** Why it is not. */
  last_error: nullable(PlainText(500)),
});
export type LinkStatus = v.InferInput<typeof LinkStatus>;

/** POST /api/nodes/register, at start and whenever the hub does not know the node. Idempotent. */
export const RegisterRequest = v.object({
  protocol_version: v.literal(protocolVersion),
  node_id: NodeId,
  software_version: PlainText(64),
  time_zone: TimeZone,
  config_version: PlainText(64),
  /** Expected length of a segment, for the hub's idea of when the next one is due. */
  segment_seconds: NonNegativeInteger,
  cameras: v.pipe(
    v.array(v.object({ camera_id: CameraId, name: PlainText(100), source: PlainText(32) })),
    v.minLength(1),
    v.maxLength(64),
  ),
});
export type RegisterRequest = v.InferInput<typeof RegisterRequest>;

export const RegisterResponse = v.object({
  node_id: NodeId,
  /** The archive that the edge has to find behind its mount before it writes there. */
  archive_id: nullable(ArchiveId),
  heartbeat_interval_seconds: NonNegativeInteger,
  server_time: WireTime,
});
export type RegisterResponse = v.InferOutput<typeof RegisterResponse>;

/** POST /api/nodes/{id}/heartbeat. Reports work done, not that a process lives. */
export const HeartbeatRequest = v.object({
  protocol_version: v.literal(protocolVersion),
  sent_at: WireTime,
  software_version: PlainText(64),
  config_version: PlainText(64),
  system: SystemInfo,
  cameras: v.pipe(v.array(CameraStatus), v.maxLength(64)),
  spool: SpoolStatus,
  uploads: v.optional(UploadStatus),
  config: v.optional(ConfigStatus),
  link: v.optional(LinkStatus),
  /** Errors since start, by module. */
  error_counts: v.record(PlainText(64), NonNegativeInteger),
  /** What is wrong now, and what was and is over since the last heartbeat that was answered; without it, nobody knows. */
  alerts: v.optional(v.pipe(v.array(ReportedAlert), v.maxLength(maxReportedAlerts))),
});
export type HeartbeatRequest = v.InferInput<typeof HeartbeatRequest>;

export const HeartbeatResponse = v.object({
  /** False: the hub does not know this node (restored from a backup); register again. */
  registered: v.boolean(),
  archive_id: nullable(ArchiveId),
  server_time: WireTime,
});
export type HeartbeatResponse = v.InferOutput<typeof HeartbeatResponse>;
