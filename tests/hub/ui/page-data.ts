import { archivePathOf } from "../../../src/common/archive-path.ts";
import { newUuidV7 } from "../../../src/common/ids.ts";
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
    state: "recording",
    message: null,
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
    link: null,
    uploads: null,
    alerts: [],
    ...more,
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
