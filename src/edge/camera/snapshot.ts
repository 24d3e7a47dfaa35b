import { runChild } from "../../common/child-process.ts";
import { AppError } from "../../common/errors.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

/** JPEG of the first picture of a fragment that starts with a keyframe. Throws `unavailable`, `timeout`, `cancelled`. */
export async function pictureOf(
  init: InitSegment,
  fragment: Fragment,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const result = await runChild({
    argv: [
      ...[
        "ffmpeg",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "error",
        "-threads",
        "1",
        "-skip_frame",
        "nokey",
      ],
      ...["-f", "mp4", "-i", "pipe:0", "-map", "0:v:0", "-frames:v", "1"],
      ...["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-f", "image2pipe", "pipe:1"],
    ],
    stdin: Buffer.concat([init.bytes, fragment.bytes]),
    timeoutMs: 20_000,
    ...(signal ? { signal } : {}),
  });
  if (signal?.aborted) throw new AppError("cancelled", "the snapshot was cancelled");
  if (result.exitCode !== 0 || result.stdout.byteLength === 0) {
    throw new AppError("unavailable", "the newest keyframe cannot be decoded", {
      details: { stderr: result.stderrTail },
    });
  }
  return result.stdout;
}
