import { type Clock, sleep } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { Catalog, Video } from "../db/catalog.ts";
import type { MediaSource } from "./media-source.ts";

export interface SecondLooksOptions {
  catalog: Pick<Catalog, "findVideos" | "findVideo" | "updateVideoStatus">;
  media: Pick<MediaSource, "sizeOf" | "open">;
  isArchiveThere: () => boolean;
  clock: Pick<Clock, "monotonicMs">;
  logger: Logger;
  /** Between two rounds; default a minute. */
  intervalMs?: number;
}

/** Of one round; the next goes on from there. */
const maxVideos = 500;
const blockBytes = 1024 * 1024;
/** A damaged file is read to its end each time, so the looks at one grow apart. */
const firstRestMs = 10 * 60_000;
const longestRestMs = 24 * 3_600_000;
const maxRests = 10_000;

/**
 * Looks again at videos that were marked as missing or damaged, and unmarks those whose files are what was recorded: they
 * were put back, or the archive told something else when it was asked. A damaged one has to hash to what the catalog says.
 * Nothing else does that for clips and evidence, which go without marked videos. Until aborted; never rejects.
 */
export async function runSecondLooks(options: SecondLooksOptions, signal: AbortSignal): Promise<void> {
  const { catalog, media, isArchiveThere, clock, logger, intervalMs = 60_000 } = options;
  const rests = new Map<string, { untilMs: number; ms: number }>();

  async function isAsRecorded({ status, filePath, fileSizeBytes, fileSha256, videoId }: Video) {
    if ((await media.sizeOf(filePath)) !== fileSizeBytes) return false;
    if (status === "missing") return true;
    const rest = rests.get(videoId);
    if (rest !== undefined && clock.monotonicMs() < rest.untilMs) return false;
    rests.delete(videoId);
    if ((await hashOf(media, filePath, fileSizeBytes, signal)) === fileSha256) return true;
    const ms = Math.min(longestRestMs, 2 * (rest?.ms ?? firstRestMs / 2));
    const [oldest] = rests.keys();
    if (rests.size >= maxRests && oldest !== undefined) rests.delete(oldest);
    rests.set(videoId, { untilMs: clock.monotonicMs() + ms, ms });
    return false;
  }

  /** Answers whether the round may go on: not in an archive that cannot be read. */
  async function look(video: Video): Promise<boolean> {
    try {
      if (!(await isAsRecorded(video))) return true;
    } catch (error) {
      const code = errorCodeOf(error);
      return code === "not_found" || code === "corrupt_file";
    }
    // Somebody may have deleted it meanwhile.
    const now = await catalog.findVideo(video.videoId);
    if (now?.status !== video.status) return true;
    await catalog.updateVideoStatus(video.videoId, "available");
    logger.info("a file is as it was recorded again", { video_id: video.videoId, was: video.status });
    return true;
  }

  let after: { startTimeMs: number; videoId: string } | undefined;
  while (!signal.aborted) {
    await sleep(intervalMs, signal);
    if (signal.aborted || !isArchiveThere()) continue;
    try {
      const videos = await catalog.findVideos({
        ...{ statuses: ["missing", "damaged"], order: "newest_first", limit: maxVideos },
        ...(after && { after }),
      });
      after = videos.length === maxVideos ? videos.at(-1) : undefined;
      for (const video of videos) if (signal.aborted || !(await look(video))) break;
    } catch (error) {
      logger.error("marked videos could not be looked at again", errorFields(error));
    }
  }
}

async function hashOf(
  media: Pick<MediaSource, "open">,
  filePath: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<string> {
  await using file = await media.open(filePath);
  const hash = new Bun.CryptoHasher("sha256");
  const block = new Uint8Array(Math.min(blockBytes, sizeBytes));
  for (let at = 0; at < sizeBytes; at += block.length) {
    if (signal.aborted) throw new AppError("cancelled", "the hub is being stopped");
    const some = block.subarray(0, Math.min(block.length, sizeBytes - at));
    await file.readInto(some, at);
    hash.update(some);
  }
  return hash.digest("hex");
}
