import { archivePathOf } from "../../../src/common/archive-path.ts";
import { newUuidV7 } from "../../../src/common/ids.ts";
import type { Alert } from "../../../src/hub/alerts/alert-store.ts";
import type { CameraOverview, NodeInfo } from "../../../src/hub/nodes/node-service.ts";
import type { PageVideo } from "../../../src/hub/ui/page-video.ts";
import { nowMs, type PageData } from "./page-server.ts";

export function videoAt(startTimeMs: number, more: Partial<PageVideo> = {}): PageVideo {
  const cameraId = more.cameraId ?? "cam01";
  const timeZone = more.timeZone ?? "Asia/Seoul";
  const durationMs = more.durationMs ?? 600_000;
  return {
    videoId: newUuidV7(startTimeMs),
    cameraId,
    nodeId: "site-1",
    runId: "02bb5696-bf3c-4bf4-828d-881531f7cd36",
    sequence: 0,
    startTimeMs,
    endTimeMs: startTimeMs + durationMs,
    timeZone,
    durationMs,
    codec: "avc1.64001f,mp4a.40.2",
    width: 1920,
    height: 1080,
    fps: 29.97,
    recordedSha256: "dcc00f56f242e68534a80c42d19658210f2657e68f9588f80732e8a2ba4fe360",
    clockState: "synced",
    softwareVersion: "0.1.0",
    filePath: archivePathOf({ cameraId, startTimeMs, timeZone }),
    fileSizeBytes: 312_456_789,
    fileSha256: "e513f1405e04011d7db0f957f5074ec2c198582ecb412459693905c784708c9e",
    createdAtMs: startTimeMs + durationMs + 1_500,
    status: "available",
    notes: "",
    ...more,
  };
}

export function cameraOf(cameraId: string, more: Partial<CameraOverview> = {}): CameraOverview {
  return {
    cameraId,
    name: cameraId,
    nodeId: "site-1",
    source: "rpicam",
    nodeStatus: "online",
    lastHeartbeatMs: nowMs - 12_000,
    state: "recording",
    message: null,
    pausedSinceMs: null,
    timeZone: "Asia/Seoul",
    newestVideo: undefined,
    ...more,
  };
}

export function nodeOf(nodeId: string, more: Partial<NodeInfo> = {}): NodeInfo {
  return {
    nodeId,
    cameraIds: ["cam01"],
    ipAddress: "192.0.2.17",
    registeredAtMs: nowMs - 86_400_000,
    lastHeartbeatMs: nowMs - 8_000,
    status: "online",
    softwareVersion: "0.1.0 (abc1234)",
    configVersion: "9f2c",
    timeZone: "Asia/Seoul",
    segmentSeconds: 600,
    systemInfo: {
      hostname: nodeId,
      model: "Raspberry Pi 5",
      os: "Debian 12",
      cpu_count: 4,
      cpu_usage: 0.31,
      load_1m: 0.9,
      memory_total_bytes: 4_000_000_000,
      memory_available_bytes: 3_100_000_000,
      process_rss_bytes: 61_000_000,
      spool_total_bytes: 64_000_000_000,
      spool_free_bytes: 40_000_000_000,
      temperature_celsius: 58.4,
      network_received_bytes: null,
      network_sent_bytes: null,
      uptime_seconds: 86_400,
    },
    spool: {
      waiting_segments: 0,
      waiting_bytes: 0,
      unacknowledged_segments: 0,
      oldest_waiting_at: null,
      lost_segments: 0,
    },
    cameras: [],
    errorCounts: {},
    config: null,
    link: null,
    uploads: null,
    alerts: [],
    ...more,
  };
}

export function alertOf(code: string, more: Partial<Alert> = {}): Alert {
  return {
    alertId: newUuidV7(nowMs),
    nodeId: "site-1",
    cameraId: null,
    source: "node",
    code,
    severity: "warning",
    message: `in English: ${code}`,
    params: {},
    raisedAtMs: nowMs - 600_000,
    clearedAtMs: null,
    count: 1,
    createdAtMs: nowMs - 600_000,
    ...more,
  };
}

/** A node with four cameras of which one is well, an archive that is away, and everything else that can be wrong. */
export function troubledNode(): NodeInfo {
  const none = {
    under_voltage: false,
    frequency_capped: false,
    throttled: false,
    soft_temperature_limit: false,
  };
  const base = nodeOf("site-2");
  const camera = (cameraId: string, more: Partial<NodeInfo["cameras"][number]>) => ({
    ...{ camera_id: cameraId, state: "recording" as const, message: null, width: 1920, height: 1080 },
    ...{ codec: "avc1.64001f", fps: 29.97, fps_asked: 30, bitrate_bps: 4_000_000, restarts: 0 },
    ...{ last_fragment_at: nowMs - 900, run_started_at: nowMs - 86_400_000 },
    ...more,
  });
  return {
    ...base,
    cameraIds: ["gate", "yard", "barn", "roof"],
    systemInfo: base.systemInfo && {
      ...base.systemInfo,
      temperature_celsius: 82.6,
      throttling: {
        now: { ...none, under_voltage: true },
        since_boot: { ...none, under_voltage: true, throttled: true },
      },
      clock: { state: "unsynced", source: "timedatectl", ahead_of_hub_ms: -7_300 },
    },
    spool: {
      ...{
        waiting_segments: 37,
        waiting_bytes: 11_400_000_000,
        unacknowledged_segments: 3,
        lost_segments: 2,
      },
      ...{ oldest_waiting_at: nowMs - 7_200_000, quarantined_segments: 1, conflicting_segments: 1 },
      ...{ horizon_seconds: 9_840, pressure: "compressed" },
    },
    uploads: {
      ...{ state: "retrying", bytes_per_second: 11_200_000, eta_seconds: null, archive: "unreachable" },
      ...{ failing_since: nowMs - 7_000_000, succeeded: 812, failed: 40 },
      last_error: "no archive is mounted at /mnt/nas/videos: there is no metadata/archive.json in it",
    },
    cameras: [
      camera("gate", {}),
      camera("yard", {
        ...{
          state: "retrying",
          fps: null,
          bitrate_bps: null,
          restarts: 14,
          fallback_since: nowMs - 1_900_000,
        },
        ...{ message: "ffmpeg ended: Connection to tcp://192.0.2.40:554 failed: No route to host" },
        last_fragment_at: nowMs - 1_950_000,
      }),
      camera("barn", { fps: 14.2, restarts: 1 }),
      camera("roof", { state: "paused", fps: null, bitrate_bps: null, paused_since: nowMs - 7_500_000 }),
    ],
    config: {
      ...{ version: "3f1c0a9be77d", wanted_version: "90d1f3a4c2b7", needs_restart: ["system.spool_path"] },
      refusal: "cameras.1.source.fps: at most 240 frames per second",
    },
    errorCounts: { uploader: 40, camera: 14, heartbeat: 2 },
    alerts: [
      alertOf("under_voltage"),
      alertOf("camera_down", {
        ...{ severity: "critical", cameraId: "yard", raisedAtMs: nowMs - 1_900_000, count: 3 },
        params: {
          failures: 14,
          error: "ffmpeg ended: Connection to tcp://192.0.2.40:554 failed: No route to host",
        },
      }),
      alertOf("temperature_high", { params: { temperature_celsius: 82.6 } }),
      alertOf("uploads_failing", { params: { error: "no archive is mounted at /mnt/nas/videos" } }),
      alertOf("from_the_future", { message: "something that only a newer hub can say" }),
    ],
  };
}

/** A site with one camera that recorded today from midnight with a hole, and the two days before. */
export function usualData(): PageData {
  const midnight = Date.UTC(2025, 8, 22, 15);
  const videos: PageVideo[] = [];
  for (const dayAgo of [0, 1, 6]) {
    for (let i = 0; i < (dayAgo === 0 ? 95 : 144); i++) {
      if (i >= 40 && i < 47) continue;
      videos.push(videoAt(midnight - dayAgo * 86_400_000 + i * 600_000));
    }
  }
  const newestVideo = videos
    .filter(({ startTimeMs }) => startTimeMs < nowMs)
    .sort((a, b) => b.startTimeMs - a.startTimeMs)[0];
  const part = (message: string, figures = {}) => ({
    state: "ok" as const,
    message,
    figures,
    checkedAtMs: nowMs - 2_000,
  });
  return {
    videos,
    cameras: [cameraOf("cam01", { name: "Front door", newestVideo })],
    nodes: [
      nodeOf("site-1", {
        cameras: [
          {
            ...{
              camera_id: "cam01",
              state: "recording",
              message: null,
              width: 1920,
              height: 1080,
              codec: "avc1.64001f",
            },
            ...{
              fps: 29.97,
              bitrate_bps: 4_000_000,
              last_fragment_at: nowMs,
              run_started_at: nowMs,
              restarts: 0,
            },
          },
        ],
      }),
    ],
    status: {
      state: "ok",
      parts: {
        catalog: part("it answers", { answer_ms: 0.4 }),
        archive: part("the archive answers", { free_bytes: 1_234_567_890_123 }),
        nodes: part("all nodes are online", { online: 1, offline: 0 }),
        disk: part("there is room", { free_bytes: 40_000_000_000, total_bytes: 64_000_000_000 }),
      },
      softwareVersion: "0.1.0 (abc1234)",
      uptimeSeconds: 93_784,
      checkedAtMs: nowMs,
    },
  };
}
