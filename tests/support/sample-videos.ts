import { archivePathOf } from "../../src/common/archive-path.ts";
import { newUuidV7 } from "../../src/common/ids.ts";
import type { NewVideo } from "../../src/hub/db/catalog.ts";

/** 64 hex digits that differ for different seeds. */
export function sampleHash(seed: string | number): string {
  return new Bun.CryptoHasher("sha256").update(String(seed)).digest("hex");
}

/** A video as an edge would announce it: ten minutes of cam01, from 2025-09-23 15:30 in Seoul. */
export function sampleVideo(changes: Partial<NewVideo> & { attempt?: number } = {}): NewVideo {
  const { attempt, ...given } = changes;
  const startTimeMs = given.startTimeMs ?? Date.parse("2025-09-23T06:30:00Z");
  const durationMs = given.durationMs ?? 600_000;
  const video = {
    videoId: newUuidV7(startTimeMs),
    cameraId: "cam01",
    nodeId: "node01",
    runId: "01234567-89ab-4cde-8f01-0123456789ab",
    sequence: 0,
    startTimeMs,
    endTimeMs: startTimeMs + durationMs,
    timeZone: "Asia/Seoul",
    durationMs,
    codec: "avc1.64001f,mp4a.40.2",
    width: 1280,
    height: 720,
    fps: 30,
    recordedSha256: "",
    clockState: "synced" as const,
    softwareVersion: "0.1.0 (abc1234)",
    filePath: "",
    fileSizeBytes: 300_000_000,
    fileSha256: "",
    ...given,
  };
  return {
    ...video,
    recordedSha256: video.recordedSha256 || sampleHash(`recorded ${video.videoId}`),
    fileSha256: video.fileSha256 || sampleHash(`file ${video.videoId}`),
    filePath: video.filePath || archivePathOf(video, attempt),
  };
}

/** `count` videos of one camera, end to end. */
export function sampleRun(count: number, changes: Partial<NewVideo> = {}): NewVideo[] {
  const first = sampleVideo(changes);
  return Array.from({ length: count }, (_, i) =>
    sampleVideo({ ...changes, sequence: i, startTimeMs: first.startTimeMs + i * first.durationMs }),
  );
}
