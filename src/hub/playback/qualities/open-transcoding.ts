import { join } from "node:path";
import type { Clock } from "../../../common/clock.ts";
import type { Logger } from "../../../common/log.ts";
import type { HubConfig } from "../../config.ts";
import type { PlayableParts } from "../hls/playable-parts.ts";
import type { MediaSource } from "../media-source.ts";
import { openDirectoryPartCache } from "./directory-part-cache.ts";
import { noPartCache } from "./part-cache.ts";
import { TranscodedParts } from "./transcoded-parts.ts";
import { Transcoder } from "./transcoder.ts";

/** As the configuration wants it; undefined where it wants none. */
export async function openTranscoding(options: {
  config: Pick<HubConfig, "data_path" | "transcoding" | "transcoding_at_once" | "transcoding_cache_mb">;
  media: MediaSource;
  parts: Pick<PlayableParts, "of">;
  clock: Clock;
  logger: Logger;
}): Promise<TranscodedParts | undefined> {
  const { config, media, parts, clock, logger } = options;
  if (!config.transcoding) return undefined;
  const cache =
    config.transcoding_cache_mb === 0
      ? noPartCache
      : await openDirectoryPartCache({
          folder: join(config.data_path, "cache"),
          maxBytes: config.transcoding_cache_mb * 1_000_000,
          clock,
          logger,
        });
  return new TranscodedParts({
    media,
    partsOf: async (video) => (await parts.of(video)).stretches.map((stretch) => stretch.parts),
    transcoder: new Transcoder({ clock }),
    cache,
    atOnce: config.transcoding_at_once,
  });
}
