import { runChild } from "../../../common/child-process.ts";
import { AppError, errorCodeOf } from "../../../common/errors.ts";
import type { Video } from "../../db/catalog.ts";
import { isJpeg } from "../jpeg.ts";
import type { MediaSource } from "../media-source.ts";
import { chooseKeyframes } from "./choose-keyframes.ts";
import { type PreviewPlan, planPreviews } from "./plan-previews.ts";
import { readKeyframe } from "./read-keyframe.ts";
import { writeStillFragment } from "./still-fragment.ts";

/** Waiting included: at the lowest priority a busy machine lets it wait for long. */
const deadlineMs = 120_000;
const maxCpuSeconds = 60;
const maxMemoryBytes = 2 * 1024 ** 3;
const maxSpriteBytes = 8 * 1024 * 1024;
/** Of the first picture; of the others what the one before took, and somewhat more. */
const firstGuessBytes = 64 * 1024;
const guessFactor = 1.25;
const maxGuessBytes = 4 * 1024 * 1024;

/**
 * The JPEG that `planPreviews` describes, made by one ffmpeg of the lowest priority from the init segment and the
 * keyframes needed. Of the file nothing else is read, and ffmpeg never sees its path. Throws `corrupt_file` when there
 * is no picture in it, `timeout`, `unavailable` without ffmpeg, and what the {@link MediaSource} throws.
 */
export async function makeSprite(
  media: Pick<MediaSource, "readIndex" | "readRange">,
  video: Pick<Video, "videoId" | "filePath" | "durationMs" | "width" | "height" | "isMock">,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const plan = planPreviews(video);
  const file = await media.readIndex(video.filePath);
  if (file.identity.videoId !== video.videoId) {
    throw new AppError("corrupt_file", `${video.filePath} is not the file that the catalog knows`);
  }
  const chosen = chooseKeyframes(file, plan.cues);
  if (chosen.length === 0) throw new AppError("corrupt_file", `${video.filePath} has no keyframe`);

  let failure: unknown;
  async function* pictures(): AsyncGenerator<Uint8Array> {
    yield file.init.bytes;
    let guessBytes = firstGuessBytes;
    for (const { cue, fragment } of chosen) {
      const source = { filePath: video.filePath, init: file.init, fragment, guessBytes };
      const keyframe = await readKeyframe(media, source).catch(unlessDamaged);
      if (keyframe === undefined) continue;
      guessBytes = Math.min(maxGuessBytes, Math.ceil(keyframe.reachBytes * guessFactor));
      yield* writeStillFragment(file.init.video, keyframe, cue);
    }
  }
  const parts = pictures();
  const input = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        // ffmpeg just sees the end; that it is not the whole is said here.
        failure = error;
        controller.close();
      }
    },
    cancel: async () => void (await parts.return(undefined)),
  });
  const exit = await runChild({
    argv: spriteArgv(plan),
    stdin: input,
    timeoutMs: deadlineMs,
    maxOutputBytes: maxSpriteBytes,
    ...(signal && { signal }),
  });
  if (failure !== undefined) throw failure;
  if (signal?.aborted) throw new AppError("cancelled", "the hub is being stopped");
  // `prlimit` found nothing to run; see env(1).
  if (exit.exitCode === 126 || exit.exitCode === 127) {
    throw new AppError("unavailable", "cannot start ffmpeg; is it installed and on PATH?", {
      details: { stderr: exit.stderrTail },
    });
  }
  if (exit.exitCode !== 0 || !isJpeg(exit.stdout)) {
    throw new AppError("corrupt_file", "ffmpeg found no picture in the video", {
      details: { stderr: exit.stderrTail },
    });
  }
  return exit.stdout;
}

/** In place of a picture that is damaged the one before stays. */
function unlessDamaged(error: unknown): undefined {
  if (errorCodeOf(error) !== "corrupt_file") throw error;
}

/**
 * The input is foreign: its format is given, not guessed, no other file or address can be opened, and what it may cost
 * is bounded. One picture a second comes in; where one is missing or cannot be decoded, the one before stays.
 */
function spriteArgv({ cues, columns, rows, tileWidth, tileHeight }: PreviewPlan): string[] {
  const size = `${tileWidth}:${tileHeight}`;
  const filters = [
    `scale=${size}:flags=area:force_original_aspect_ratio=decrease`,
    `pad=${size}:(ow-iw)/2:(oh-ih)/2`,
    "setsar=1",
    "fps=1:start_time=0:eof_action=pass",
    `tpad=stop_mode=clone:stop=${cues.length}`,
    `trim=end_frame=${cues.length}`,
    `tile=${columns}x${rows}`,
  ];
  return [
    ...["nice", "-n", "19", "prlimit", `--as=${maxMemoryBytes}`, `--cpu=${maxCpuSeconds}`, "--"],
    ...["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error"],
    ...["-protocol_whitelist", "pipe", "-threads", "1", "-filter_threads", "1", "-max_pixels", "67108864"],
    ...["-skip_loop_filter", "all", "-ignore_editlist", "1", "-f", "mp4", "-i", "pipe:0"],
    ...["-an", "-sn", "-dn", "-frames:v", "1", "-vf", filters.join(",")],
    ...["-threads", "1", "-q:v", "5", "-f", "mjpeg", "pipe:1"],
  ];
}
