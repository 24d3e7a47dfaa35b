import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../../src/common/child-process.ts";
import { planArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import type { Fragment } from "../../../src/common/mp4/fragment.ts";
import type { InitSegment } from "../../../src/common/mp4/init-segment.ts";
import { SegmentIndex } from "../../../src/common/mp4/segment-index.ts";
import { scanSegmentFile } from "../../../src/common/mp4/segment-scan.ts";
import { StreamSplitter } from "../../../src/common/mp4/stream-splitter.ts";
import type { SegmentIdentity } from "../../../src/common/segment-identity.ts";

export interface StreamRecipe {
  /** Arguments before the output options: inputs, encoders, GOP. */
  encode: readonly string[];
  /** Adds `delay_moov`, with which ffmpeg writes edit lists into the init segment. */
  delayMoov?: boolean;
}

const fragmented = "+frag_keyframe+empty_moov+default_base_moof";
const picture = "testsrc2=size=192x128:rate=30:duration=4";
const tone = "sine=frequency=440:sample_rate=48000:duration=4";
const video = ["-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p"];
const x264 = (...options: string[]) => ["-c:v", "libx264", ...video, "-sc_threshold", "0", ...options];
const bFrames = ["-tune", "animation", "-x264-params", "bframes=3:b-adapt=0:b-pyramid=none", "-g", "30"];
const aac = ["-c:a", "aac", "-b:a", "64k"];
const withTone = (...inputOptions: string[]) => [
  ...["-f", "lavfi", "-i", picture],
  ...[...inputOptions, "-f", "lavfi", "-i", tone],
];

/** One for each way in which real cameras differ; a few seconds of a running picture each. */
export const recipes: Record<string, StreamRecipe> = {
  "H.264 baseline": {
    encode: ["-f", "lavfi", "-i", picture, ...x264("-profile:v", "baseline", "-g", "30")],
  },
  "H.264 with B-frames": { encode: ["-f", "lavfi", "-i", picture, ...x264(...bFrames)] },
  "H.264 with B-frames, delayed moov": {
    encode: ["-f", "lavfi", "-i", picture, ...x264(...bFrames)],
    delayMoov: true,
  },
  "H.264 with B-frames and AAC": { encode: [...withTone(), ...x264(...bFrames), ...aac] },
  "H.264 with B-frames and AAC, delayed moov": {
    encode: [...withTone(), ...x264(...bFrames), ...aac],
    delayMoov: true,
  },
  "H.265 with AAC": {
    encode: [
      ...withTone(),
      ...["-c:v", "libx265", ...video, "-tag:v", "hvc1", ...aac],
      ...["-x265-params", "log-level=error:keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=2"],
    ],
  },
  "AAC that starts late": { encode: [...withTone("-itsoffset", "1.37"), ...x264("-g", "30"), ...aac] },
  "AAC that starts late, delayed moov": {
    encode: [...withTone("-itsoffset", "1.37"), ...x264(...bFrames), ...aac],
    delayMoov: true,
  },
  "video that starts late": {
    encode: [
      ...["-itsoffset", "0.73", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone],
      ...[...x264("-g", "30"), ...aac],
    ],
    delayMoov: true,
  },
  "odd GOP and rates": {
    encode: [
      ...["-f", "lavfi", "-i", "testsrc2=size=192x128:rate=30000/1001:duration=3"],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=3"],
      ...[...x264("-g", "17"), ...aac],
    ],
  },
  "frames missing": {
    encode: [
      ...["-f", "lavfi", "-i", `${picture},select='not(between(mod(n,50),20,35))'`, "-vsync", "vfr"],
      ...x264("-g", "15"),
    ],
  },
};

/** Runs a tool and returns its standard output; throws with what it wrote to standard error, if anything. */
export async function run(argv: string[]): Promise<string> {
  const child = startChild({ argv, stdout: "pipe" });
  const text = await new Response(child.stdout).text();
  const exit = await child.exited;
  if (exit.exitCode !== 0 || exit.stderrTail !== "") throw new Error(`${argv.join(" ")}\n${exit.stderrTail}`);
  return text;
}

/** Records a recipe into `folder` as a camera's ffmpeg would put it on its pipe. */
export async function recordStream(folder: string, recipe: StreamRecipe): Promise<Uint8Array> {
  const path = join(folder, `stream-${crypto.randomUUID()}.mp4`);
  const movflags = fragmented + (recipe.delayMoov ? "+delay_moov" : "");
  await run([
    ...["ffmpeg", "-v", "error", "-nostdin", ...recipe.encode],
    ...["-movflags", movflags, "-video_track_timescale", "90000", path],
  ]);
  return readFile(path);
}

export interface SplitStream {
  init: InitSegment;
  fragments: Fragment[];
}

export function splitStream(bytes: Uint8Array): SplitStream {
  const units = new StreamSplitter().push(bytes);
  const init = units.find((unit) => unit.kind === "init")?.init;
  if (init === undefined) throw new Error("no init segment");
  return { init, fragments: units.flatMap((unit) => (unit.kind === "fragment" ? [unit.fragment] : [])) };
}

/** The stream as the segments that a recorder would make of it, `perSegment` fragments in each. */
export function cutIntoSegments(stream: SplitStream, perSegment: number): Fragment[][] {
  const segments: Fragment[][] = [];
  for (let i = 0; i < stream.fragments.length; i += perSegment) {
    segments.push(stream.fragments.slice(i, i + perSegment));
  }
  return segments;
}

export function spoolBytes(init: InitSegment, fragments: readonly Fragment[]): Uint8Array {
  return Buffer.concat([init.bytes, ...fragments.map((fragment) => fragment.bytes)]);
}

export function indexOf(init: InitSegment, fragments: readonly Fragment[]): SegmentIndex {
  const index = new SegmentIndex(init);
  for (const fragment of fragments) index.addFragment(fragment);
  return index;
}

export function identityFor(index: SegmentIndex, recorded: Uint8Array): SegmentIdentity {
  return {
    videoId: "01997461-c940-7000-8000-000000000001",
    cameraId: "cam01",
    nodeId: "site-1",
    runId: "0d9f6c1e-5e0c-4f0c-9e0f-8f4b7d2f3a11",
    sequence: 3,
    startTimeMs: Date.UTC(2025, 8, 23, 6, 30),
    endTimeMs: Date.UTC(2025, 8, 23, 6, 30) + index.durationMs,
    timeZone: "Asia/Seoul",
    durationMs: index.durationMs,
    codec: index.init.codec,
    width: index.init.video.width,
    height: index.init.video.height,
    fps: index.fps,
    recordedSha256: createHash("sha256").update(recorded).digest("hex"),
    clockState: "synced",
    softwareVersion: "0.1.0",
  };
}

export function archiveBytes(init: InitSegment, fragments: readonly Fragment[]): Uint8Array {
  const recorded = spoolBytes(init, fragments);
  const index = indexOf(init, fragments);
  const layout = planArchiveFile({ index, identity: identityFor(index, recorded) });
  return Buffer.concat([layout.front, layout.initBytes, layout.sidx, recorded.subarray(init.bytes.length)]);
}

/** Writes one segment as the spool has it (`inner`) and as the archive has it (`outer`), from the spool file alone. */
export async function writeSegment(
  folder: string,
  name: string,
  init: InitSegment,
  fragments: readonly Fragment[],
): Promise<{ inner: string; outer: string }> {
  const inner = join(folder, `${name}.spool.mp4`);
  const outer = join(folder, `${name}.mp4`);
  const recorded = spoolBytes(init, fragments);
  await writeFile(inner, recorded);
  const { index } = await scanSegmentFile(inner);
  const layout = planArchiveFile({ index, identity: identityFor(index, recorded) });
  await writeFile(
    outer,
    Buffer.concat([layout.front, layout.initBytes, layout.sidx, recorded.subarray(init.bytes.length)]),
  );
  return { inner, outer };
}
