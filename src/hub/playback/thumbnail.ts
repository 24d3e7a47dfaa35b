import { runChild } from "../../common/child-process.ts";
import { AppError } from "../../common/errors.ts";
import type { Video } from "../db/catalog.ts";
import { isJpeg } from "./jpeg.ts";
import type { MediaSource } from "./media-source.ts";

/** Width of every thumbnail in pixels; the height follows from the video's shape. */
export const thumbnailWidth = 320;

const deadlineMs = 10_000;
/** A GOP of 4K at a generous bit rate. More is no fragment of ours. */
const maxFragmentBytes = 48 * 1024 * 1024;
const maxJpegBytes = 512 * 1024;

/**
 * A JPEG of the first picture of an archived video, made by ffmpeg from the init segment and the first fragment:
 * the file itself is not seeked, and ffmpeg never sees its path. Throws `corrupt_file` when there is no picture in
 * it, `timeout`, `unavailable` without ffmpeg, and what the {@link MediaSource} throws.
 */
export async function makeThumbnail(
  media: Pick<MediaSource, "readIndex" | "readRange">,
  { filePath }: Pick<Video, "filePath">,
): Promise<Uint8Array> {
  const archived = await media.readIndex(filePath);
  const fragment = archived.fragments.find(({ startsWithKeyframe }) => startsWithKeyframe);
  if (!fragment) throw new AppError("corrupt_file", `${filePath} has no keyframe`);
  if (fragment.sizeBytes + archived.initSizeBytes > maxFragmentBytes) {
    throw new AppError("corrupt_file", `the first fragment of ${filePath} has ${fragment.sizeBytes} bytes`);
  }
  const [init, pictures] = await Promise.all([
    media.readRange(filePath, {
      start: archived.initOffset,
      end: archived.initOffset + archived.initSizeBytes,
    }),
    media.readRange(filePath, { start: fragment.offset, end: fragment.offset + fragment.sizeBytes }),
  ]);
  return jpegOf(Buffer.concat([init, pictures]));
}

/** First picture of a fragmented MP4. */
async function jpegOf(mp4: Uint8Array): Promise<Uint8Array> {
  const exit = await runChild({
    argv: thumbnailArgv,
    stdin: mp4,
    timeoutMs: deadlineMs,
    maxOutputBytes: maxJpegBytes,
  });
  if (exit.exitCode !== 0 || !isJpeg(exit.stdout)) {
    throw new AppError("corrupt_file", "ffmpeg found no picture in the video", {
      details: { stderr: exit.stderrTail },
    });
  }
  return exit.stdout;
}

/** The input is foreign: its format is given, not guessed, no other file or address can be opened, and it is bounded. */
const thumbnailArgv = [
  "ffmpeg",
  ...["-nostdin", "-nostats", "-hide_banner", "-loglevel", "error"],
  ...["-protocol_whitelist", "pipe", "-threads", "1", "-max_pixels", "67108864"],
  ...["-skip_frame", "nokey", "-f", "mp4", "-i", "pipe:0"],
  ...["-an", "-sn", "-dn", "-frames:v", "1", "-vf", `scale=${thumbnailWidth}:-2:flags=bicubic`],
  ...["-threads", "1", "-q:v", "4", "-f", "mjpeg", "pipe:1"],
];
