import type { PageKey, SortOrder, Video, VideoQuery } from "../db/catalog.ts";

export interface VideoPage {
  videos: Video[];
  /** Where the next page begins; undefined on the last one. */
  next: PageKey | undefined;
}

/** The original design's IVideoService: what pages and routes ask about videos. */
export interface VideoService {
  /** Throws `invalid_input` for a reversed range. */
  list(query: VideoListQuery): Promise<VideoPage>;
  /** All conditions of the catalog's query. Throws `cancelled` when `signal` aborts before it is done. */
  search(query: VideoQuery, signal?: AbortSignal): Promise<VideoPage>;
  /** Throws `not_found`. */
  find(videoId: string): Promise<Video>;
  /** The videos of the same camera that come before and after it in time. */
  neighbours(video: Video): Promise<{ previous: Video | undefined; next: Video | undefined }>;
  /** Local days (`2025-09-23`) on which a camera has videos, newest first. */
  days(cameraId: string, limit: number): Promise<string[]>;
  /** Path on this hub that streams the video as MP4. */
  streamUrlOf(videoId: string): string;
  thumbnailUrlOf(videoId: string): string;
}

/** Videos that overlap [fromMs, toMs); times in ms since 1970 UTC. */
export interface VideoListQuery {
  cameraIds?: readonly string[];
  fromMs?: number;
  toMs?: number;
  statuses?: VideoQuery["statuses"];
  order: SortOrder;
  after?: PageKey;
  limit: number;
}
