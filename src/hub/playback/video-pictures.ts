import type { PictureKind } from "../../common/archive-path.ts";
import type { Clock } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { Video } from "../db/catalog.ts";
import { BoundedTasks } from "./bounded-tasks.ts";
import type { MediaSource } from "./media-source.ts";
import type { PictureStore } from "./picture-store.ts";
import type { PlayableVideos } from "./playable-videos.ts";
import { checkVideoFile } from "./video-file.ts";

/** How long a video that has no picture is not tried again. */
const failureMemoryMs = 60_000;
const maxRememberedFailures = 1_000;

/** Pictures of one kind. */
export interface VideoPictures {
  /**
   * The JPEG of a video: the kept one, or a new one that is then kept. Throws `not_found` when the file is gone or
   * there is no picture in it, `unavailable` when too many wait, there is no ffmpeg or no archive.
   */
  of(video: Video): Promise<Uint8Array>;
  /**
   * Makes and keeps the one of a video that has none, for nobody in particular: a file that cannot be read is not
   * marked, since it may only just have been archived. Answers whether it made one, and throws what was in the way.
   */
  provide(video: Video): Promise<boolean>;
  /** Resolves when none is being made of this video; never rejects. */
  settled(videoId: string): Promise<void>;
  /** Made and failed since the start; waiting are those being made, too. */
  counts(): { made: number; failed: number; waiting: number };
}

/** Two at a time make them, however many ask; each video's is made once. An archive that refuses to keep one serves it all the same. */
export function createVideoPictures(deps: {
  kind: PictureKind;
  videos: PlayableVideos;
  media: MediaSource;
  store: PictureStore;
  clock: Clock;
  logger: Logger;
  make: (media: MediaSource, video: Video) => Promise<Uint8Array>;
}): VideoPictures {
  const { kind, videos, media, store, clock, logger, make } = deps;
  const tasks = new BoundedTasks<Uint8Array>({ concurrency: 2, queueLength: 200 });
  let isKeeping = true;
  let made = 0;
  let failed = 0;
  const failures = new Map<string, { untilMs: number; error: AppError }>();

  async function makeAndKeep(video: Video): Promise<Uint8Array> {
    let jpeg: Uint8Array;
    try {
      jpeg = await make(media, video);
    } catch (cause) {
      failed++;
      throw rememberFailure(video, cause);
    }
    made++;
    await keep(video, jpeg);
    return jpeg;
  }

  /** Failing loses nothing: the picture is served now and made again next time. Said when it begins and when it ends. */
  async function keep(video: Video, jpeg: Uint8Array): Promise<void> {
    try {
      await store.write(kind, video.filePath, jpeg);
      if (!isKeeping) logger.info("pictures are kept again", { kind });
      isKeeping = true;
    } catch (error) {
      if (isKeeping)
        logger.warn("pictures cannot be kept", { kind, video_id: video.videoId, ...errorFields(error) });
      isKeeping = false;
    }
  }

  /** Only what will be the same in a minute is remembered: that this file shows nothing. */
  function rememberFailure(video: Video, cause: unknown): AppError {
    if (errorCodeOf(cause) !== "corrupt_file") {
      return cause instanceof AppError ? cause : new AppError("internal", `no ${kind}`, { cause });
    }
    const error = new AppError("not_found", "there is no picture in this video", { cause });
    const oldest = failures.keys().next();
    if (failures.size >= maxRememberedFailures && !oldest.done) failures.delete(oldest.value);
    failures.set(video.videoId, { untilMs: clock.monotonicMs() + failureMemoryMs, error });
    return error;
  }

  return {
    async of(video) {
      const kept = await store.read(kind, video.filePath);
      if (kept) return kept;
      const failure = failures.get(video.videoId);
      if (failure && failure.untilMs > clock.monotonicMs()) throw failure.error;
      return tasks.run(video.videoId, async () => {
        // It may have been made since we looked.
        const justMade = await store.read(kind, video.filePath);
        if (justMade) return justMade;
        await checkVideoFile({ videos, media }, video);
        return makeAndKeep(video);
      });
    },
    async provide(video) {
      if (await store.has(kind, video.filePath)) return false;
      await tasks.run(video.videoId, () => makeAndKeep(video));
      return true;
    },
    settled: (videoId) => tasks.settled(videoId),
    counts: () => ({ made, failed, waiting: tasks.size }),
  };
}

/**
 * Takes what was made of a video out of the archive, for whoever takes the video itself out: its row has to say so
 * already, so that nothing is made of it any more. Throws what {@link PictureStore.remove} throws.
 */
export async function removePicturesOf(
  video: Pick<Video, "videoId" | "filePath">,
  deps: { store: Pick<PictureStore, "remove">; pictures: readonly Pick<VideoPictures, "settled">[] },
): Promise<void> {
  // One that is being made would be kept afterwards.
  for (const pictures of deps.pictures) await pictures.settled(video.videoId);
  await deps.store.remove(video.filePath);
}
