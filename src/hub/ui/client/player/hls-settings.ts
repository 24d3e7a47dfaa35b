import Hls, { type HlsConfig } from "hls.js/light";
import type { GrowingPlaylist } from "./growing-playlist.ts";

/** Ahead of what is seen. */
export const bufferSeconds = 20;

export const hlsSettings: Partial<HlsConfig> = {
  // A worker would need an exception in the content security policy, and fragmented MP4 gives it nothing to do.
  enableWorker: false,
  lowLatencyMode: false,
  // Gaps are known from the timeline; as cues they would need a text track from a data: address.
  enableDateRangeMetadataCues: false,
  enableEmsgMetadataCues: false,
  enableID3MetadataCues: false,
  // Where to begin is known when the playlist is.
  autoStartLoad: false,
  // There is one quality, which is chosen by a person.
  testBandwidth: false,
  startFragPrefetch: true,
  maxBufferLength: bufferSeconds,
  maxMaxBufferLength: 12 * bufferSeconds,
  maxBufferSize: 80_000_000,
  backBufferLength: 30,
  maxBufferHole: 0.3,
  // A hub that is busy, or an archive that is away for a moment.
  fragLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 20_000,
      maxLoadTimeMs: 120_000,
      timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 6, retryDelayMs: 500, maxRetryDelayMs: 5_000 },
    },
  },
};

/** Playlists as they are told, or as if they grew. */
export function playlistLoader(
  growing: () => GrowingPlaylist | undefined,
): NonNullable<HlsConfig["pLoader"]> {
  const Loader = Hls.DefaultConfig.loader;
  return class extends Loader {
    override load(...[context, config, callbacks]: Parameters<InstanceType<typeof Loader>["load"]>): void {
      const playlist = growing();
      const onSuccess: typeof callbacks.onSuccess = (response, ...rest) => {
        if (playlist && typeof response.data === "string") response.data = playlist.next(response.data);
        callbacks.onSuccess(response, ...rest);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  } as unknown as NonNullable<HlsConfig["pLoader"]>;
}
