import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archivePathOf } from "../../src/common/archive-path.ts";
import { runChild } from "../../src/common/child-process.ts";
import { newUuidV7 } from "../../src/common/ids.ts";
import { planArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { scanSegmentFile } from "../../src/common/mp4/segment-scan.ts";
import { StreamSplitter } from "../../src/common/mp4/stream-splitter.ts";
import type { SegmentIdentity } from "../../src/common/segment-identity.ts";
import type { Video } from "../../src/hub/db/catalog.ts";

export interface RunRecipe {
  cameraId?: string;
  runId?: string;
  startTimeMs: number;
  /** Whole seconds; a GOP each. */
  secondsPerVideo: readonly number[];
  size?: string;
  bFrames?: number;
  codec?: "h264" | "h265";
  /** Noise, so that no two packets are alike. */
  audio?: boolean;
  /** An init segment with edit lists, as muxers write it that wait for the first pictures. */
  editLists?: boolean;
  /** The first picture is shown when it is decoded, as muxers for DASH and HLS write it, and others before that. */
  negativeOffsets?: boolean;
  /** Another picture than other runs have. */
  negative?: boolean;
  /** Pictures that cannot be made smaller: a group of them takes megabytes. */
  noise?: boolean;
}

/** Videos that follow each other in one run, at 10 frames per second, put into the archive under `root` as an edge would. */
export async function archiveTestRun(root: string, recipe: RunRecipe): Promise<Video[]> {
  const { cameraId = "cam01", runId = crypto.randomUUID(), bFrames = 0, size = "320x180" } = recipe;
  const totalSeconds = recipe.secondsPerVideo.reduce((sum, seconds) => sum + seconds, 0);
  const {
    audio = false,
    negative = false,
    editLists = false,
    negativeOffsets = false,
    noise = false,
    codec = "h264",
  } = recipe;
  const recorded = await record({
    totalSeconds,
    size,
    codec,
    bFrames,
    audio,
    negative,
    editLists,
    negativeOffsets,
    noise,
  });
  let init: Uint8Array | undefined;
  const fragments: Uint8Array[] = [];
  for (const unit of new StreamSplitter().push(recorded)) {
    if (unit.kind === "init") init = unit.init.bytes.slice();
    else fragments.push(unit.fragment.bytes.slice());
  }
  if (init === undefined || fragments.length < totalSeconds) throw new Error("ffmpeg made other fragments");
  // The last seconds' sound may come in a fragment of its own.
  const rest = fragments.splice(totalSeconds);

  const videos: Video[] = [];
  let startTimeMs = recipe.startTimeMs;
  for (const [sequence, seconds] of recipe.secondsPerVideo.entries()) {
    const isLast = sequence === recipe.secondsPerVideo.length - 1;
    const own = [...fragments.splice(0, seconds), ...(isLast ? rest : [])];
    videos.push(
      await archive(root, { cameraId, runId, sequence, startTimeMs }, Buffer.concat([init, ...own])),
    );
    startTimeMs += seconds * 1000;
  }
  return videos;
}

async function record(options: {
  totalSeconds: number;
  size: string;
  codec: "h264" | "h265";
  bFrames: number;
  audio: boolean;
  negative: boolean;
  editLists: boolean;
  negativeOffsets: boolean;
  noise: boolean;
}) {
  const { totalSeconds, size, codec, bFrames, audio, negative, editLists } = options;
  const keyframes =
    codec === "h264"
      ? ["libx264", "-g", "10", "-keyint_min", "10", "-sc_threshold", "0", "-bf", String(bFrames)]
      : [
          ...["libx265", "-tag:v", "hvc1"],
          ...["-x265-params", `log-level=error:keyint=10:min-keyint=10:scenecut=0:bframes=${bFrames}`],
        ];
  const filter = [negative ? "negate" : "", options.noise ? "noise=alls=60:allf=t" : ""]
    .filter(Boolean)
    .join();
  const flags = [
    ...["frag_keyframe", "default_base_moof", editLists ? "delay_moov" : "empty_moov"],
    ...(options.negativeOffsets ? ["negative_cts_offsets"] : []),
  ].join("+");
  const noise = `anoisesrc=seed=1:amplitude=0.3:sample_rate=48000:duration=${totalSeconds}`;
  const { stdout, exitCode, stderrTail } = await runChild({
    argv: [
      ...["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error"],
      ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=10:duration=${totalSeconds}`],
      ...(audio ? ["-f", "lavfi", "-i", noise, "-c:a", "aac"] : []),
      ...(filter === "" ? [] : ["-vf", filter]),
      ...["-c:v", ...keyframes, "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p"],
      ...["-f", "mp4", "-movflags", flags, "pipe:1"],
    ],
    timeoutMs: 60_000,
  });
  if (exitCode !== 0) throw new Error(stderrTail);
  return stdout;
}

async function archive(
  root: string,
  who: Pick<SegmentIdentity, "cameraId" | "runId" | "sequence" | "startTimeMs">,
  recorded: Uint8Array,
): Promise<Video> {
  const timeZone = "Asia/Seoul";
  const filePath = archivePathOf({ ...who, timeZone });
  const target = join(root, filePath);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, recorded);
  const scan = await scanSegmentFile(target);
  const identity: SegmentIdentity = {
    ...who,
    videoId: newUuidV7(who.startTimeMs),
    nodeId: "site-1",
    endTimeMs: who.startTimeMs + scan.durationMs,
    timeZone,
    durationMs: scan.durationMs,
    codec: scan.init.codec,
    width: scan.init.video.width,
    height: scan.init.video.height,
    fps: scan.fps,
    recordedSha256: sha256(recorded),
    clockState: "synced",
    softwareVersion: "0.1.0-test",
  };
  const layout = planArchiveFile({ index: scan.index, identity });
  const media = (await readFile(target)).subarray(scan.init.bytes.length, scan.wholeBytes);
  const file = Buffer.concat([layout.front, layout.initBytes, layout.sidx, media]);
  await writeFile(target, file);
  return {
    ...identity,
    filePath,
    fileSizeBytes: file.length,
    fileSha256: sha256(file),
    createdAtMs: identity.endTimeMs + 1_500,
    status: "available",
    notes: "",
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
