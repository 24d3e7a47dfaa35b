import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import type { Scale } from "./benchmark.ts";

const sizes: Record<Scale, { width: number; height: number; bitsPerSecond: number; seconds: number }> = {
  full: { width: 1920, height: 1080, bitsPerSecond: 4_000_000, seconds: 20 },
  quick: { width: 1920, height: 1080, bitsPerSecond: 4_000_000, seconds: 20 },
  // Large enough that there is a lower quality of it.
  tiny: { width: 480, height: 270, bitsPerSecond: 500_000, seconds: 4 },
};

/**
 * What a camera of 1080p30 at 4 Mb/s sends, or at another rate, a keyframe each second; a few seconds, to be looped.
 * Returns its path.
 */
export async function makeSampleVideo(
  folder: string,
  scale: Scale,
  signal: AbortSignal,
  bitsPerSecond = sizes[scale].bitsPerSecond,
): Promise<string> {
  const { width, height, seconds } = sizes[scale];
  const path = join(folder, "sample.mp4");
  await runFfmpeg(
    [
      ...["-f", "lavfi", "-i", `testsrc2=size=${width}x${height}:rate=30:duration=${seconds}`],
      ...["-vf", "noise=alls=8:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"],
      // Constant rate, padded where the picture needs less: every second is alike.
      ...["-b:v", `${bitsPerSecond}`, "-maxrate", `${bitsPerSecond}`, "-bufsize", `${bitsPerSecond}`],
      ...["-x264-params", "nal-hrd=cbr:force-cfr=1", "-g", "30", "-sc_threshold", "0", "-pix_fmt", "yuv420p"],
      ...["-movflags", "+faststart", path],
    ],
    signal,
  );
  return path;
}

export async function runFfmpeg(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const exit = await runChild({
    argv: ["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error", "-y", ...argv],
    timeoutMs: 300_000,
    signal,
  });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`ffmpeg failed: ${exit.stderrTail.trim()}`);
}
