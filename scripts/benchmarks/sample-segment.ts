import { join } from "node:path";
import { newUuidV7 } from "../../src/common/ids.ts";
import type { SegmentIndex } from "../../src/common/mp4/segment-index.ts";
import { scanSegmentFile } from "../../src/common/mp4/segment-scan.ts";
import type { SegmentIdentity } from "../../src/common/segment-identity.ts";
import { SpoolChecksum } from "../../src/edge/spool-checksum.ts";
import type { Scale } from "./benchmark.ts";
import { makeSampleVideo, runFfmpeg } from "./sample-video.ts";

/** 300 MB at 4 Mb/s: ten minutes, the default length of a segment. */
const seconds: Record<Scale, number> = { full: 600, quick: 150, tiny: 20 };

export interface SampleSegment {
  /** A file of the spool's form, `ftyp moov (moof mdat)*`. */
  path: string;
  sizeBytes: number;
  identity: SegmentIdentity;
  spoolChecksum: string;
  index: SegmentIndex;
}

/** A closed segment as it waits in the spool for its upload, of `length` seconds. */
export async function makeSampleSegment(
  folder: string,
  scale: Scale,
  signal: AbortSignal,
  { length = seconds[scale], bitsPerSecond }: { length?: number; bitsPerSecond?: number } = {},
): Promise<SampleSegment> {
  const path = join(folder, "segment.mp4");
  const sample = await makeSampleVideo(folder, scale, signal, bitsPerSecond);
  await runFfmpeg(
    [
      ...["-stream_loop", "-1", "-i", sample, "-t", `${length}`, "-c", "copy"],
      ...["-movflags", "+frag_keyframe+empty_moov+default_base_moof+skip_trailer", path],
    ],
    signal,
  );
  const scan = await scanSegmentFile(path);
  const hash = new Bun.CryptoHasher("sha256");
  const checksum = new SpoolChecksum();
  for await (const chunk of Bun.file(path).slice(0, scan.wholeBytes).stream()) {
    hash.update(chunk);
    checksum.update(chunk);
  }
  const startTimeMs = Date.UTC(2025, 8, 23, 6, 30);
  return {
    path,
    sizeBytes: Bun.file(path).size,
    spoolChecksum: checksum.digest(),
    index: scan.index,
    identity: {
      videoId: newUuidV7(startTimeMs),
      cameraId: "cam01",
      nodeId: "bench",
      runId: crypto.randomUUID(),
      sequence: 0,
      startTimeMs,
      endTimeMs: startTimeMs + scan.durationMs,
      timeZone: "UTC",
      durationMs: scan.durationMs,
      codec: scan.init.video.codec,
      width: scan.init.video.width,
      height: scan.init.video.height,
      fps: scan.fps,
      recordedSha256: hash.digest("hex"),
      clockState: "synced",
      softwareVersion: "bench",
    },
  };
}

/** The same pictures, `index` segments later. */
export function nthOf(segment: SampleSegment, index: number): SampleSegment {
  const { durationMs } = segment.identity;
  const startTimeMs = segment.identity.startTimeMs + index * durationMs;
  const when = { startTimeMs, endTimeMs: startTimeMs + durationMs, sequence: index };
  return { ...segment, identity: { ...segment.identity, ...when, videoId: newUuidV7(startTimeMs) } };
}
