import type { Clock } from "../../common/clock.ts";
import type { Video } from "../db/catalog.ts";
import type { PlayableVideos } from "./playable-videos.ts";

/** A player asks for the same video many times a second while it seeks; a deleted one may play on for so long. */
const memoryMs = 1_000;
const maxRemembered = 256;

/** The videos asked for within the last second, without asking the catalog again. What is not there is not remembered. */
export function createRecentVideos(
  videos: PlayableVideos,
  clock: Pick<Clock, "monotonicMs">,
): PlayableVideos {
  const recent = new Map<string, { video: Video; untilMs: number }>();
  return {
    async findVideo(videoId) {
      const known = recent.get(videoId);
      if (known && known.untilMs > clock.monotonicMs()) return known.video;
      recent.delete(videoId);
      const video = await videos.findVideo(videoId);
      if (video) {
        const oldest = recent.keys().next();
        if (recent.size >= maxRemembered && !oldest.done) recent.delete(oldest.value);
        recent.set(videoId, { video, untilMs: clock.monotonicMs() + memoryMs });
      }
      return video;
    },
    async updateVideoStatus(videoId, status) {
      recent.delete(videoId);
      await videos.updateVideoStatus(videoId, status);
      // A look-up may have come in between with what was there before.
      recent.delete(videoId);
    },
  };
}
