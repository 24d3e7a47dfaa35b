import * as v from "valibot";
import {
  CameraState,
  CameraStatus,
  ConfigStatus,
  SpoolStatus,
  SystemInfo,
  UploadStatus,
} from "../../common/protocol/node.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import { formatCameraStatus, formatSpoolStatus, formatUploadStatus } from "./heartbeat-record.ts";
import type { CameraOverview, NodeInfo } from "./node-service.ts";

const time = v.pipe(v.string(), v.isoTimestamp());
const NodeStatus = v.pipe(
  v.picklist(["online", "late", "offline", "never_seen"]),
  v.description(
    "By the age of the last heartbeat on the hub's clock: online up to 3 heartbeat intervals, late up to 12, then " +
      "offline; never_seen before the first.",
  ),
);

/** The original design's NodeInfo, then ours. */
export const NodeJson = v.pipe(
  v.object({
    node_id: v.string(),
    camera_id: v.pipe(v.nullable(v.string()), v.description("The first of camera_ids.")),
    camera_ids: v.array(v.string()),
    ip_address: v.pipe(v.string(), v.description("Where its last request came from.")),
    last_heartbeat: v.nullable(time),
    status: NodeStatus,
    system_info: v.nullable(SystemInfo),
    config_version: v.string(),
    software_version: v.string(),
    time_zone: v.string(),
    segment_seconds: v.number(),
    registered_at: time,
    cameras: v.pipe(v.array(CameraStatus), v.description("As the last heartbeat told them.")),
    spool: v.nullable(SpoolStatus),
    uploads: v.pipe(v.nullable(UploadStatus), v.description("Null from nodes that do not tell.")),
    active_alerts: v.pipe(
      v.object({ critical: v.number(), warning: v.number() }),
      v.description("How many; what they are is in /api/alerts?node_id=…"),
    ),
    config: v.pipe(
      v.nullable(ConfigStatus),
      v.description("What of its config file is not in force, and why; null from nodes that do not tell."),
    ),
    error_counts: v.pipe(v.record(v.string(), v.number()), v.description("Since its start, by module.")),
    link: v.pipe(
      v.object({
        enabled: v.pipe(v.nullable(v.boolean()), v.description("By the node's config; null before it told.")),
        connected: v.boolean(),
        since: v.pipe(v.nullable(time), v.description("null: not since the hub was started.")),
        reason: v.pipe(v.nullable(v.string()), v.description("Why it is not connected.")),
      }),
      v.description("Whether the hub can ask things of it."),
    ),
  }),
  v.metadata({ ref: "Node" }),
);
export const NodeListJson = v.object({ nodes: v.array(NodeJson) });

export const CameraJson = v.pipe(
  v.object({
    camera_id: v.string(),
    name: v.string(),
    node_id: v.string(),
    source: v.string(),
    node_status: NodeStatus,
    state: v.pipe(
      v.union([CameraState, v.literal("unknown")]),
      v.description("unknown: its node is offline or never told."),
    ),
    message: v.pipe(v.nullable(v.string()), v.description("Why it is not recording.")),
    time_zone: v.string(),
    newest_video: v.nullable(v.object({ video_id: v.string(), start_time: time, end_time: time })),
  }),
  v.metadata({ ref: "Camera" }),
);
export const CameraListJson = v.object({ cameras: v.array(CameraJson) });

export function formatNode(node: NodeInfo, link: NodeLinkState): v.InferInput<typeof NodeJson> {
  return {
    node_id: node.nodeId,
    camera_id: node.cameraIds[0] ?? null,
    camera_ids: node.cameraIds,
    ip_address: node.ipAddress,
    last_heartbeat: node.lastHeartbeatMs === null ? null : formatWireTime(node.lastHeartbeatMs),
    status: node.status,
    system_info: node.systemInfo,
    config_version: node.configVersion,
    software_version: node.softwareVersion,
    time_zone: node.timeZone,
    segment_seconds: node.segmentSeconds,
    registered_at: formatWireTime(node.registeredAtMs),
    cameras: node.cameras.map(formatCameraStatus),
    spool: node.spool && formatSpoolStatus(node.spool),
    uploads: node.uploads && formatUploadStatus(node.uploads),
    active_alerts: countBySeverity(node.alerts),
    config: node.config,
    error_counts: node.errorCounts,
    link: {
      enabled: node.link?.enabled ?? null,
      connected: link.isConnected,
      since: link.sinceMs === undefined ? null : formatWireTime(link.sinceMs),
      reason: link.reason ?? null,
    },
  };
}

function countBySeverity(alerts: NodeInfo["alerts"]) {
  const count = (wanted: string) => alerts.filter(({ severity }) => severity === wanted).length;
  return { critical: count("critical"), warning: count("warning") };
}

export function formatCamera(camera: CameraOverview): v.InferInput<typeof CameraJson> {
  const { newestVideo } = camera;
  return {
    camera_id: camera.cameraId,
    name: camera.name,
    node_id: camera.nodeId,
    source: camera.source,
    node_status: camera.nodeStatus,
    state: camera.state,
    message: camera.message,
    time_zone: camera.timeZone,
    newest_video: newestVideo
      ? {
          video_id: newestVideo.videoId,
          start_time: formatWireTime(newestVideo.startTimeMs),
          end_time: formatWireTime(newestVideo.endTimeMs),
        }
      : null,
  };
}
