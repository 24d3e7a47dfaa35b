/**
 * What a change of a setting takes:
 * - `at_once`: in force at once, nothing is interrupted
 * - `next_segment`, `next_upload`: in force from the next one on
 * - `camera`: the capture of that camera starts anew, the others do not notice
 * - `destination`: a running upload is cancelled and begun again, at the new destination
 * - `hub`: the node introduces itself again, by the new address or key
 * - `metrics`: the metrics are served anew, at the new address
 * - `restart`: not before the edge is started again
 */
export type ConfigEffect =
  | "at_once"
  | "next_segment"
  | "next_upload"
  | "camera"
  | "destination"
  | "hub"
  | "metrics"
  | "restart";

/** By path, `*` for the id of a camera; what stands below a path has its effect. docs/configuration.md says the same. */
export const configEffects: Readonly<Record<string, ConfigEffect>> = {
  node_id: "restart",
  cameras: "at_once",
  "cameras.*.name": "at_once",
  "cameras.*.source": "camera",
  "recording.segment_seconds": "next_segment",
  "recording.fsync_interval_ms": "next_segment",
  "recording.unsynced_hold_seconds": "at_once",
  "recording.stall_seconds": "at_once",
  "recording.fallback_after_failures": "at_once",
  "upload.destination": "destination",
  "upload.order": "at_once",
  "upload.stall_seconds": "next_upload",
  "upload.max_bytes_per_second": "next_upload",
  "upload.check_cron": "at_once",
  "upload.windows": "at_once",
  "network.hub_url": "hub",
  "network.api_key": "hub",
  "network.link": "hub",
  "network.footage_max_bytes_per_second": "at_once",
  "network.heartbeat_seconds": "at_once",
  "health.metrics_listen": "metrics",
  "health.metrics_token": "metrics",
  "health.metrics_public": "metrics",
  "health.alerts": "at_once",
  "system.time_zone": "restart",
  "system.clock": "restart",
  "system.spool_path": "restart",
  "system.spool_max_bytes": "at_once",
  "system.spool_when_full": "at_once",
  "system.run_path": "restart",
  "system.control_socket": "restart",
  "system.log_level": "at_once",
  "system.watch_config": "at_once",
};

/** Of a setting at `path`, in which a camera stands by its id. What nobody has thought of needs a restart. */
export function effectOf(path: string): ConfigEffect {
  const parts = path.split(".");
  if (parts[0] === "cameras" && parts.length > 1) parts[1] = "*";
  for (let length = parts.length; length > 0; length--) {
    const effect = configEffects[parts.slice(0, length).join(".")];
    if (effect) return effect;
  }
  return "restart";
}
