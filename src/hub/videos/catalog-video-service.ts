import { AppError } from "../../common/errors.ts";
import type { Catalog, Video, VideoQuery } from "../db/catalog.ts";
import { streamUrlOf, thumbnailUrlOf } from "./video-json.ts";
import type { VideoPage, VideoService } from "./video-service.ts";

export function createVideoService({ catalog }: { catalog: Catalog }): VideoService {
  const search = async (query: VideoQuery, signal?: AbortSignal): Promise<VideoPage> => {
    checkRanges(query);
    // One more than asked for tells whether there is another page.
    const found = await catalog.findVideos({ ...query, limit: query.limit + 1 }, signal);
    const videos = found.slice(0, query.limit);
    return { videos, next: found.length > query.limit ? keyOf(videos.at(-1)) : undefined };
  };

  return {
    search,
    list: search,

    async find(videoId) {
      const video = await catalog.findVideo(videoId);
      if (!video) throw new AppError("not_found", "there is no video with this id");
      return video;
    },

    async neighbours({ cameraId, startTimeMs, videoId }) {
      const next = (order: VideoQuery["order"]) =>
        catalog.findVideos({
          cameraIds: [cameraId],
          statuses: ["available", "damaged"],
          order,
          after: { startTimeMs, videoId },
          limit: 1,
        });
      const [[previous], [following]] = await Promise.all([next("newest_first"), next("oldest_first")]);
      return { previous, next: following };
    },

    days: (cameraId, limit) => catalog.findDays(cameraId, limit),
    streamUrlOf,
    thumbnailUrlOf,
  };
}

function keyOf(video: Video | undefined) {
  return video && { startTimeMs: video.startTimeMs, videoId: video.videoId };
}

function checkRanges(query: VideoQuery): void {
  const issues = [
    [query.fromMs, query.toMs, "to", "a time after `from`", (a: number, b: number) => a < b] as const,
    [
      query.minDurationMs,
      query.maxDurationMs,
      "max_duration",
      "at least `min_duration`",
      (a: number, b: number) => a <= b,
    ] as const,
    [
      query.minSizeBytes,
      query.maxSizeBytes,
      "max_file_size",
      "at least `min_file_size`",
      (a: number, b: number) => a <= b,
    ] as const,
  ].flatMap(([low, high, path, message, holds]) =>
    low === undefined || high === undefined || holds(low, high)
      ? []
      : [{ path, message: `expected ${message}` }],
  );
  if (issues.length > 0) throw new AppError("invalid_input", "the range is empty", { issues });
}
