import type { Video, VideoStatus } from "../db/catalog.ts";

/** What playback needs of the videos: their rows, and to say what it found when it opened their files. */
export interface PlayableVideos {
  findVideo(videoId: string): Promise<Video | undefined>;
  updateVideoStatus(videoId: string, status: VideoStatus): Promise<void>;
}
