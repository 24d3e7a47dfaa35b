import type { Clock } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { Video } from "../db/catalog.ts";
import { BoundedTasks } from "./bounded-tasks.ts";
import type { MediaSource } from "./media-source.ts";
import type { PlayableVideos } from "./playable-videos.ts";
import { makeThumbnail } from "./thumbnail.ts";
import type { ThumbnailStore } from "./thumbnail-store.ts";
import { checkVideoFile } from "./video-file.ts";

/** How long a video that has no picture is not tried again. */
const failureMemoryMs = 60_000;
const maxRememberedFailures = 1_000;

export interface Thumbnails {
  /**
   * The JPEG of a video: the kept one, or a new one that is then kept. Throws `not_found` when the file is gone or
   * there is no picture in it, `unavailable` when too many wait, there is no ffmpeg or no archive.
   */
  of(video: Video): Promise<Uint8Array>;
}

/** Two at a time make them, however many ask; each video's is made once. An archive that refuses to keep one serves it all the same. */
export function createThumbnails(deps: {
  videos: PlayableVideos;
  media: MediaSource;
  store: ThumbnailStore;
  clock: Clock;
  logger: Logger;
  make?: typeof makeThumbnail;
}): Thumbnails {
  const { videos, media, store, clock, logger, make = makeThumbnail } = deps;
  const tasks = new BoundedTasks<Uint8Array>({ concurrency: 2, queueLength: 200 });
  let isKeeping = true;
  const failures = new Map<string, { untilMs: number; error: AppError }>();

  async function makeAndKeep(video: Video): Promise<Uint8Array> {
    // Another may have made it since we looked.
    const kept = await store.read(video.filePath);
    if (kept) return kept;
    await checkVideoFile({ videos, media }, video);
    const jpeg = await make(media, video.filePath).catch((cause: unknown) => {
      throw rememberFailure(video, cause);
    });
    await keep(video, jpeg);
    return jpeg;
  }

  /** Failing loses nothing: the picture is served now and made again next time. Said when it begins and when it ends. */
  async function keep(video: Video, jpeg: Uint8Array): Promise<void> {
    try {
      await store.write(video.filePath, jpeg);
      if (!isKeeping) logger.info("thumbnails are kept again");
      isKeeping = true;
    } catch (error) {
      if (isKeeping)
        logger.warn("thumbnails cannot be kept", { video_id: video.videoId, ...errorFields(error) });
      isKeeping = false;
    }
  }

  /** Only what will be the same in a minute is remembered: that this file shows nothing. */
  function rememberFailure(video: Video, cause: unknown): AppError {
    if (errorCodeOf(cause) !== "corrupt_file") {
      return cause instanceof AppError ? cause : new AppError("internal", "no thumbnail", { cause });
    }
    const error = new AppError("not_found", "there is no picture in this video", { cause });
    const oldest = failures.keys().next();
    if (failures.size >= maxRememberedFailures && !oldest.done) failures.delete(oldest.value);
    failures.set(video.videoId, { untilMs: clock.monotonicMs() + failureMemoryMs, error });
    return error;
  }

  return {
    async of(video) {
      const kept = await store.read(video.filePath);
      if (kept) return kept;
      const failure = failures.get(video.videoId);
      if (failure && failure.untilMs > clock.monotonicMs()) throw failure.error;
      return tasks.run(video.videoId, () => makeAndKeep(video));
    },
  };
}
