import { availableParallelism, loadavg } from "node:os";
import type { Clock } from "../../common/clock.ts";
import { createLogger } from "../../common/log.ts";
import type { Catalog } from "../db/catalog.ts";
import type { MediaSource } from "./media-source.ts";
import type { PictureStore } from "./picture-store.ts";
import { makeSprite } from "./previews/make-sprite.ts";
import { PreviewMaker } from "./previews/preview-maker.ts";
import { makeThumbnail } from "./thumbnail.ts";
import { createVideoPictures, type VideoPictures } from "./video-pictures.ts";

export interface Pictures {
  thumbnails: VideoPictures;
  /** Undefined where they are switched off. */
  previews: VideoPictures | undefined;
  previewCounts(): { made: number; failed: number; waiting: number };
  /** Previews of new videos are made when their turn comes, where they are made in the background. */
  announced(videoIds: readonly string[]): void;
  /** Makes previews in the background, where it is to; until aborted. */
  run(): Promise<void>;
}

/** All pictures that are made of videos. Nothing is made any more once `signal` is aborted. */
export function createPictures(options: {
  mode: "background" | "on_demand" | "off";
  catalog: Catalog;
  media: MediaSource;
  store: PictureStore;
  isArchiveThere: () => boolean;
  /** While others need the machine, nothing is made in the background. */
  isMachineBusy?: (() => boolean) | undefined;
  clock: Clock;
  signal: AbortSignal;
}): Pictures {
  const { mode, catalog, media, store, isArchiveThere, clock, signal } = options;
  const { isMachineBusy = isLoadHigh } = options;
  const parts = { videos: catalog, media, store, clock, logger: createLogger("pictures") };
  const thumbnails = createVideoPictures({ ...parts, kind: "thumbnail", make: makeThumbnail });
  const previews = createVideoPictures({
    ...{ ...parts, kind: "previews" },
    make: (source, video) => makeSprite(source, video, signal),
  });
  const maker = new PreviewMaker({
    ...{ catalog, previews, isArchiveThere, clock, logger: createLogger("previews") },
    isBusy: () => isMachineBusy() || thumbnails.counts().waiting + previews.counts().waiting > 0,
  });
  return {
    thumbnails,
    previews: mode === "off" ? undefined : previews,
    previewCounts() {
      const counts = previews.counts();
      return { ...counts, waiting: counts.waiting + maker.waiting };
    },
    announced: (videoIds) => (mode === "background" ? maker.announced(videoIds) : undefined),
    run: async () => (mode === "background" ? maker.run(signal) : undefined),
  };
}

/** More than three that run or wait for each core, over the last minute: ours has to wait for its turn anyway. */
function isLoadHigh(): boolean {
  return (loadavg()[0] ?? 0) > 3 * availableParallelism();
}
