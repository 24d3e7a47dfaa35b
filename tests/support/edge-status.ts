import type { EdgeStatus } from "../../src/common/protocol/control.ts";
import { cameraStatus } from "./alert-facts.ts";
import { heartbeatRequest } from "./node-reports.ts";
import { reportedAlert } from "./sample-alert.ts";

/** A node that has just started and knows little. */
export function idleStatus(): EdgeStatus {
  const { protocol_version, sent_at, ...report } = heartbeatRequest();
  return {
    ...report,
    node_id: "node01",
    software_version: "0.1.0",
    config_version: "c1",
    started_at: "2025-09-23T05:00:00.000Z",
    spool: { ...report.spool, quarantined_segments: 0, conflicting_segments: 0 },
    uploads: { state: "idle", bytes_per_second: null, eta_seconds: null, last_error: null },
    hub: { url: "http://hub:8080", registered: false, last_heartbeat_at: null, last_error: null },
    archive: { archive_id: null, abandoned_workers: 0 },
    alerts: [],
  };
}

/** A node with two cameras, one of which is away, an archive that is away, and a weak power supply. */
export function busyStatus(): EdgeStatus {
  const idle = idleStatus();
  const none = {
    under_voltage: false,
    frequency_capped: false,
    throttled: false,
    soft_temperature_limit: false,
  };
  return {
    ...idle,
    cameras: [
      cameraStatus({ fps: 29.97, restarts: 1, bitrate_bps: 3_980_000 }),
      cameraStatus({
        ...{
          camera_id: "cam02",
          state: "retrying",
          fps: null,
          bitrate_bps: null,
          restarts: 7,
          failures_in_row: 7,
        },
        ...{ fallback_since: "2025-09-23T05:40:00.000Z", message: "ffmpeg ended: no such device" },
        last_fragment_at: "2025-09-23T05:39:00.000Z",
      }),
    ],
    system: {
      ...idle.system,
      ...{ model: "Raspberry Pi 5 Model B Rev 1.0", cpu_count: 4, cpu_usage: 0.25, load_1m: 1.2 },
      ...{
        memory_total_bytes: 8e9,
        memory_available_bytes: 6e9,
        process_rss_bytes: 6e7,
        process_cpu_seconds: 12.5,
      },
      ...{
        spool_total_bytes: 1e11,
        spool_free_bytes: 5e10,
        temperature_celsius: 51.5,
        uptime_seconds: 93_784,
      },
      ...{ network_received_bytes: 123_456_789, network_sent_bytes: 987_654_321 },
      throttling: { now: { ...none, under_voltage: true }, since_boot: { ...none, under_voltage: true } },
      clock: { state: "synced", source: "timedatectl", ahead_of_hub_ms: -250 },
    },
    spool: {
      ...idle.spool,
      ...{ waiting_segments: 3, waiting_bytes: 900_000_000, unacknowledged_segments: 1, lost_segments: 2 },
      ...{ oldest_waiting_at: "2025-09-23T05:00:00.000Z", horizon_seconds: 400_000, pressure: "compressed" },
      pressure_counts: { evicted: 12, compressed: 1, stopped: 0, overwritten: 2 },
    },
    uploads: {
      ...{
        state: "retrying",
        bytes_per_second: 11_000_000,
        eta_seconds: null,
        last_error: "no archive is mounted",
      },
      ...{ failing_since: "2025-09-23T05:50:00.000Z", archive: "unreachable", succeeded: 812, failed: 4 },
    },
    hub: {
      ...{ url: "http://hub:8080", registered: true, last_heartbeat_at: "2025-09-23T05:59:55.000Z" },
      ...{ last_error: null, response_ms: 12 },
    },
    error_counts: { uploader: 4, camera: 1 },
    alerts: [
      reportedAlert({ camera_id: "cam02", raised_at: "2025-09-23T05:40:00.000Z" }),
      reportedAlert({
        ...{ code: "under_voltage", severity: "warning", camera_id: null, params: {} },
        ...{ message: "the power supply is too weak: under-voltage", raised_at: "2025-09-23T05:59:00.000Z" },
      }),
    ],
  };
}
