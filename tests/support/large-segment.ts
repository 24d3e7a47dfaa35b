import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import type { SegmentIdentity } from "../../src/common/segment-identity.ts";
import { sampleStart } from "./sample-recording.ts";

/** A spool file of some 10 MB in `folder`, pure noise: enough to be in the middle of it. */
export async function writeLargeSegment(folder: string): Promise<[path: string, identity: SegmentIdentity]> {
  const start = sampleStart({ width: 640, height: 360, codec: "avc1.f40016" });
  const path = join(folder, `${start.videoId}.mp4`);
  const { exitCode, stderrTail } = await runChild({
    argv: [
      ...["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi"],
      ...["-i", "testsrc2=size=640x360:rate=10,noise=alls=100:allf=t", "-t", "3", "-pix_fmt", "yuv420p"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-g", "5", "-f", "mp4"],
      ...["-movflags", "frag_keyframe+empty_moov+default_base_moof+skip_trailer", path],
    ],
    timeoutMs: 60_000,
  });
  if (exitCode !== 0) throw new Error(stderrTail);
  const recordedSha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return [path, { ...start, endTimeMs: start.startTimeMs + 3000, durationMs: 3000, fps: 10, recordedSha256 }];
}
