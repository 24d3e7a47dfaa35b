import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archivePathOf } from "../../src/common/archive-path.ts";
import { runChild } from "../../src/common/child-process.ts";
import { newUuidV7 } from "../../src/common/ids.ts";
import { planArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { scanSegmentFile } from "../../src/common/mp4/segment-scan.ts";
import type { SegmentIdentity } from "../../src/common/segment-identity.ts";
import type { Video } from "../../src/hub/db/catalog.ts";

export interface VideoRecipe {
  cameraId?: string;
  nodeId?: string;
  timeZone?: string;
  startTimeMs: number;
  seconds?: number;
  codec?: "h264" | "h265";
  width?: number;
  height?: number;
  /** An ffmpeg lavfi source without its size and rate: `testsrc2`, `color=c=red`. */
  picture?: string;
  /** ffmpeg's filters after it. */
  filter?: string;
}

/** A video of the test pattern with a GOP per second, put into the archive under `root` as an edge would. */
export async function archiveTestVideo(root: string, recipe: VideoRecipe): Promise<Video> {
  const { cameraId = "cam01", timeZone = "Asia/Seoul", startTimeMs, seconds = 4, codec = "h264" } = recipe;
  const { width = 640, height = 360, picture = "testsrc2", filter = "null" } = recipe;
  const filePath = archivePathOf({ cameraId, startTimeMs, timeZone });
  const target = join(root, filePath);
  await mkdir(dirname(target), { recursive: true });
  const spool = `${target}.spool`;
  const encoder = codec === "h264" ? ["libx264", "-tune", "zerolatency"] : ["libx265", "-tag:v", "hvc1"];
  const exit = await runChild({
    argv: [
      ...["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi"],
      ...[
        "-i",
        `${picture}${picture.includes("=") ? ":" : "="}size=${width}x${height}:rate=10:duration=${seconds}`,
        ...["-vf", filter, "-c:v"],
        ...encoder,
      ],
      ...["-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "0"],
      ...["-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4", spool],
    ],
    timeoutMs: 60_000,
  });
  if (exit.exitCode !== 0) throw new Error(exit.stderrTail);

  const scan = await scanSegmentFile(spool);
  const recorded = await readFile(spool);
  const identity: SegmentIdentity = {
    videoId: newUuidV7(startTimeMs),
    cameraId,
    nodeId: recipe.nodeId ?? "site-1",
    runId: crypto.randomUUID(),
    sequence: 0,
    startTimeMs,
    endTimeMs: startTimeMs + scan.durationMs,
    timeZone,
    durationMs: scan.durationMs,
    codec: scan.init.video.codec,
    width,
    height,
    fps: scan.fps,
    recordedSha256: sha256(recorded.subarray(0, scan.wholeBytes)),
    clockState: "synced",
    softwareVersion: "0.1.0-test",
  };
  const layout = planArchiveFile({ index: scan.index, identity });
  const fragments = recorded.subarray(scan.init.bytes.length, scan.wholeBytes);
  const file = Buffer.concat([layout.front, layout.initBytes, layout.sidx, fragments]);
  await writeFile(target, file);
  await rm(spool);
  return {
    ...identity,
    filePath,
    fileSizeBytes: file.length,
    fileSha256: sha256(file),
    createdAtMs: startTimeMs + scan.durationMs + 1_500,
    status: "available",
    notes: "",
  };
}

/** `metadata/archive.json`, by which an archive is known from an empty mount point. */
export async function writeTestArchiveIdentity(
  root: string,
  archiveId: string = crypto.randomUUID(),
): Promise<string> {
  await mkdir(join(root, "metadata"), { recursive: true });
  const identity = { archive_id: archiveId, created_at: "2025-01-01T00:00:00.000Z", format_version: 1 };
  await writeFile(join(root, "metadata/archive.json"), JSON.stringify(identity));
  return archiveId;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
