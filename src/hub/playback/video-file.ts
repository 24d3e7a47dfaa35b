import { AppError, errorCodeOf } from "../../common/errors.ts";
import type { Video } from "../db/catalog.ts";
import type { MediaSource } from "./media-source.ts";
import type { PlayableVideos } from "./playable-videos.ts";

/** A video that was not deleted. Throws `not_found`. */
export async function findPlayableVideo(
  videos: Pick<PlayableVideos, "findVideo">,
  videoId: string,
): Promise<Video> {
  const video = await videos.findVideo(videoId);
  if (!video) throw new AppError("not_found", `there is no video ${videoId}`);
  if (video.status === "deleted") throw new AppError("not_found", "this video was deleted from the archive");
  return video;
}

/**
 * Makes sure, before an answer begins, that the archive has the file the catalog knows; a file that is not there or
 * has another size is marked, one that came back is unmarked. Throws `not_found`, or `unavailable` when the file is
 * damaged or the archive cannot be reached.
 */
export async function checkVideoFile(
  { videos, media }: { videos: PlayableVideos; media: MediaSource },
  video: Video,
): Promise<void> {
  let sizeBytes: number;
  try {
    sizeBytes = await media.sizeOf(video.filePath);
  } catch (error) {
    await markVideo(videos, video, error);
    throw playbackError(video, error);
  }
  if (sizeBytes !== video.fileSizeBytes) {
    const error = new AppError(
      "corrupt_file",
      `the file has ${sizeBytes} bytes instead of ${video.fileSizeBytes}`,
    );
    await markVideo(videos, video, error);
    throw playbackError(video, error);
  }
  // A damaged file stays so until a check of its hash says otherwise; its size alone proves nothing.
  if (video.status === "missing") await videos.updateVideoStatus(video.videoId, "available");
}

/** Writes into the catalog what an error of the {@link MediaSource} says about a file, if it says anything. */
export async function markVideo(
  videos: Pick<PlayableVideos, "updateVideoStatus">,
  video: Video,
  error: unknown,
): Promise<void> {
  const code = errorCodeOf(error);
  const found = code === "not_found" ? "missing" : code === "corrupt_file" ? "damaged" : undefined;
  if (found !== undefined && found !== video.status) await videos.updateVideoStatus(video.videoId, found);
}

/** An error of the {@link MediaSource} in the words of somebody who asked for a video. */
export function playbackError(video: Video, cause: unknown): AppError {
  const name = video.filePath.slice(video.filePath.lastIndexOf("/") + 1);
  switch (errorCodeOf(cause)) {
    case "not_found":
      return new AppError("not_found", `the file of this video, ${name}, is not in the archive`, { cause });
    case "corrupt_file":
      return new AppError("unavailable", `the file of this video, ${name}, is damaged`, { cause });
    case "internal":
      return new AppError("internal", "the video cannot be read", { cause });
    default:
      return new AppError("unavailable", "the archive cannot be read at the moment", { cause });
  }
}
