import { type Clock, sleep } from "../../../common/clock.ts";
import { errorCodeOf } from "../../../common/errors.ts";
import { errorFields, type Logger } from "../../../common/log.ts";
import { Wakeup } from "../../../common/wakeup.ts";
import type { Catalog, PageKey, Video } from "../../db/catalog.ts";
import type { VideoPictures } from "../video-pictures.ts";

/** Older videos get theirs when somebody asks. */
const lookBackMs = 7 * 86_400_000;
const pageSize = 100;
/** More that wait are found in the catalog again. */
const maxAnnounced = 1_000;
const maxTries = 3;

export interface PreviewMakerOptions {
  catalog: Pick<Catalog, "findVideo" | "findVideos">;
  previews: Pick<VideoPictures, "provide">;
  isArchiveThere: () => boolean;
  /** While others need the machine nothing is begun. */
  isBusy: () => boolean;
  clock: Pick<Clock, "wallMs">;
  logger: Logger;
  /** Until it is looked again whether the archive is there and nobody needs the machine. */
  pauseMs?: number;
}

/**
 * Makes previews in the background, one at a time: of what was announced, the newest first, then of the last days' videos
 * that have none. What there is to do is in the catalog and the archive, so nothing is remembered beyond the process.
 */
export class PreviewMaker {
  readonly #options: PreviewMakerOptions;
  readonly #wakeup = new Wakeup();
  readonly #announced = new Set<string>();
  /** How often a file could not be read, though its archive is there. */
  readonly #tries = new Map<string, number>();
  /** Of the last days, the newest first; undefined when all were looked at. */
  #rest: { after?: PageKey; page: Video[] } | undefined = { page: [] };
  #isHeldUp = false;

  constructor(options: PreviewMakerOptions) {
    this.#options = options;
  }

  /** Announced videos that have not had their turn. */
  get waiting(): number {
    return this.#announced.size;
  }

  announced(videoIds: readonly string[]): void {
    for (const videoId of videoIds) this.#announced.add(videoId);
    if (this.#announced.size > maxAnnounced) {
      for (const oldest of [...this.#announced].sort().slice(0, this.#announced.size - maxAnnounced)) {
        this.#announced.delete(oldest);
      }
      this.#lookBackAgain();
    }
    this.#wakeup.wake();
  }

  /** Until aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { isArchiveThere, isBusy, logger, pauseMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      if (!isArchiveThere() || isBusy()) {
        await sleep(pauseMs, signal);
        continue;
      }
      try {
        const video = await this.#next();
        if (video === undefined) await this.#wakeup.wait(signal);
        else if (!(await this.#provide(video, signal))) await sleep(pauseMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("videos without previews could not be looked for", errorFields(error));
        await sleep(pauseMs, signal);
      }
    }
  }

  async #next(): Promise<Video | undefined> {
    const { catalog } = this.#options;
    while (this.#announced.size > 0) {
      // Ids begin with the time.
      const newest = [...this.#announced].sort().at(-1)!;
      this.#announced.delete(newest);
      const video = await catalog.findVideo(newest);
      if (video?.status === "available") return video;
    }
    while (this.#rest !== undefined) {
      const next = this.#rest.page.shift();
      if (next !== undefined) return next;
      await this.#turnPage(this.#rest.after);
    }
    return undefined;
  }

  async #turnPage(after: PageKey | undefined): Promise<void> {
    const page = await this.#options.catalog.findVideos({
      fromMs: this.#options.clock.wallMs() - lookBackMs,
      statuses: ["available"],
      order: "newest_first",
      ...(after && { after }),
      limit: pageSize,
    });
    const last = page.at(-1);
    this.#rest =
      last === undefined
        ? undefined
        : { page, after: { startTimeMs: last.startTimeMs, videoId: last.videoId } };
  }

  #lookBackAgain(): void {
    this.#rest = { page: [] };
  }

  /** False when nothing can be made for now. */
  async #provide(video: Video, signal: AbortSignal): Promise<boolean> {
    const { previews, logger } = this.#options;
    const fields = { video_id: video.videoId };
    try {
      await previews.provide(video);
      this.#tries.delete(video.videoId);
      if (this.#isHeldUp) logger.info("previews are made again");
      this.#isHeldUp = false;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const code = errorCodeOf(error);
      if (code !== "unavailable" && code !== "io") {
        logger.info("no previews of a video", { ...fields, ...errorFields(error) });
        return true;
      }
      if (!this.#isHeldUp) logger.warn("previews cannot be made", { ...fields, ...errorFields(error) });
      this.#isHeldUp = true;
      if (this.#mayTryAgain(video.videoId, code)) this.announced([video.videoId]);
      return false;
    }
  }

  /** A file that cannot be read must not hold up the others for ever; an archive that does not answer holds up all. */
  #mayTryAgain(videoId: string, code: "unavailable" | "io"): boolean {
    if (code === "unavailable") return true;
    const tries = (this.#tries.get(videoId) ?? 0) + 1;
    if (this.#tries.size > maxAnnounced) this.#tries.clear();
    this.#tries.set(videoId, tries);
    return tries < maxTries;
  }
}
