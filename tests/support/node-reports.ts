import type { HeartbeatRequest, RegisterRequest } from "../../src/common/protocol/node.ts";

export function registerRequest(): RegisterRequest {
  return {
    protocol_version: 1,
    node_id: "node01",
    software_version: "0.0.0-test",
    time_zone: "Asia/Seoul",
    config_version: "0123456789ab",
    segment_seconds: 600,
    cameras: [{ camera_id: "cam01", name: "Gate", source: "test" }],
  };
}

export function heartbeatRequest(): HeartbeatRequest {
  return {
    protocol_version: 1,
    sent_at: "2025-09-23T06:30:00.000Z",
    software_version: "0.0.0-test",
    config_version: "0123456789ab",
    system: {
      hostname: "pi",
      model: null,
      os: "Linux",
      cpu_count: 4,
      cpu_usage: null,
      load_1m: null,
      memory_total_bytes: 1,
      memory_available_bytes: 1,
      process_rss_bytes: 1,
      spool_total_bytes: null,
      spool_free_bytes: null,
      temperature_celsius: null,
      network_received_bytes: null,
      network_sent_bytes: null,
      uptime_seconds: 1,
    },
    cameras: [],
    spool: {
      waiting_segments: 0,
      waiting_bytes: 0,
      unacknowledged_segments: 0,
      oldest_waiting_at: null,
      lost_segments: 0,
    },
    error_counts: {},
  };
}
