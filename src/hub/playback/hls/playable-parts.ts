import { errorCodeOf } from "../../../common/errors.ts";
import type { Video } from "../../db/catalog.ts";
import { BoundedTasks } from "../bounded-tasks.ts";
import type { MediaSource } from "../media-source.ts";
import type { PlayableVideos } from "../playable-videos.ts";
import { markVideo } from "../video-file.ts";
import { formatParts, uriOf } from "./format-playlist.ts";
import type { MediaIndexes } from "./media-indexes.ts";
import { type IndexedVideo, planParts } from "./media-parts.ts";

/** What of a video can be played. */
export interface PlayableVideo {
  /** In order; one for a whole file, none when nothing can be read of it. */
  stretches: readonly IndexedVideo[];
  /** Times of the video that its file has not whole, in ms since 1970 UTC. */
  lost: readonly { fromMs: number; toMs: number }[];
}

interface Salvaged {
  /** Of the file as it is. */
  sizeBytes: number;
  /** It begins as this video does, whatever comes then. */
  isThisVideo: boolean;
  playable: PlayableVideo;
}

const maxRemembered = 100;
/** A hole is longer than what two clocks differ by. */
const leastLostMs = 100;

/** The parts of videos whose files are whole, and of those that are not. Marks what it finds. */
export class PlayableParts {
  readonly #videos: Pick<PlayableVideos, "updateVideoStatus">;
  readonly #media: Pick<MediaSource, "sizeOf" | "salvageIndex">;
  readonly #indexes: Pick<MediaIndexes, "of">;
  /** Unlike a whole file a damaged one may change: it counts as long as the file has that size. */
  readonly #salvaged = new Map<string, Salvaged>();
  readonly #salvaging = new BoundedTasks<Salvaged>({ concurrency: 2, queueLength: 1_000 });

  constructor(deps: {
    videos: Pick<PlayableVideos, "updateVideoStatus">;
    media: Pick<MediaSource, "sizeOf" | "salvageIndex">;
    indexes: Pick<MediaIndexes, "of">;
  }) {
    this.#videos = deps.videos;
    this.#media = deps.media;
    this.#indexes = deps.indexes;
  }

  /** Throws `not_found`, `unavailable` and `io` as {@link MediaSource} does, never `corrupt_file`. */
  async of(video: Video): Promise<PlayableVideo> {
    if (video.status === "damaged") return this.#salvage(video);
    try {
      // The index may be remembered from before it went.
      if (video.status === "missing") await this.#media.sizeOf(video.filePath);
      const indexed = await this.#indexes.of(video);
      if (video.status === "missing") await this.#videos.updateVideoStatus(video.videoId, "available");
      return { stretches: [indexed], lost: [] };
    } catch (error) {
      await markVideo(this.#videos, video, error);
      if (errorCodeOf(error) !== "corrupt_file") throw error;
      return this.#salvage(video);
    }
  }

  /** The bytes that a damaged file has; undefined where it does not even begin as this video. Throws as {@link of}. */
  async damagedSizeOf(video: Video): Promise<number | undefined> {
    try {
      const { sizeBytes, isThisVideo } = await this.#lookOnce(video);
      return isThisVideo ? sizeBytes : undefined;
    } catch (error) {
      if (errorCodeOf(error) !== "corrupt_file") throw error;
      return undefined;
    }
  }

  async #salvage(video: Video): Promise<PlayableVideo> {
    try {
      return (await this.#lookOnce(video)).playable;
    } catch (error) {
      await markVideo(this.#videos, video, error);
      if (errorCodeOf(error) !== "corrupt_file") throw error;
      return { stretches: [], lost: [{ fromMs: video.startTimeMs, toMs: video.endTimeMs }] };
    }
  }

  async #lookOnce(video: Video): Promise<Salvaged> {
    const sizeBytes = await this.#media.sizeOf(video.filePath);
    const known = this.#salvaged.get(video.videoId);
    if (known?.sizeBytes === sizeBytes) return known;
    return this.#salvaging.run(video.videoId, () => this.#look(video));
  }

  async #look(video: Video): Promise<Salvaged> {
    const { file, sizeBytes, stretches: found } = await this.#media.salvageIndex(video.filePath);
    const isThisVideo = file.identity.videoId === video.videoId;
    const stretches = (isThisVideo ? found : []).map((fragments): IndexedVideo => {
      const parts = planParts(file, fragments);
      return { parts, lines: formatParts(uriOf(video), parts) };
    });
    const salvaged = { sizeBytes, isThisVideo, playable: { stretches, lost: lostOf(video, stretches) } };
    const oldest = this.#salvaged.keys().next();
    if (this.#salvaged.size >= maxRemembered && !oldest.done) this.#salvaged.delete(oldest.value);
    this.#salvaged.set(video.videoId, salvaged);
    return salvaged;
  }
}

function lostOf({ startTimeMs, endTimeMs }: Video, stretches: readonly IndexedVideo[]) {
  const lost: { fromMs: number; toMs: number }[] = [];
  let fromMs = startTimeMs;
  const add = (toMs: number) => {
    if (toMs - fromMs >= leastLostMs) lost.push({ fromMs, toMs });
  };
  for (const { parts } of stretches) {
    const atMs = (ticks: number) => startTimeMs + (ticks * 1000) / parts.timescale;
    add(atMs(parts.leadTicks));
    fromMs = atMs(parts.leadTicks + parts.endTicks - parts.startTicks);
  }
  add(endTimeMs);
  return lost;
}
