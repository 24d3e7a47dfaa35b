import type { Catalog } from "../db/catalog.ts";
import type { MediaSource } from "../playback/media-source.ts";
import { createClipService } from "./clip-service.ts";

const hourMs = 3_600_000;

/**
 * Plans a clip that nobody asked for, the newest hour of a camera: what a program does for the first time (its code is
 * not compiled, the tables of time zones are not read) takes three times as long as the clip itself, and the first to
 * ask after a start would wait for it. Nothing is kept, and no video is marked. Throws as {@link createClipService}'s
 * clips do.
 */
export async function warmUpClips(parts: {
  catalog: Pick<Catalog, "findVideos">;
  media: Pick<MediaSource, "sizeOf" | "readIndex" | "readRange">;
}): Promise<void> {
  const { catalog, media } = parts;
  const [newest] = await catalog.findVideos({ statuses: ["available"], order: "newest_first", limit: 1 });
  if (newest === undefined) return;
  const { cameraId, endTimeMs } = newest;
  const clips = createClipService({
    catalog: { findVideos: (query) => catalog.findVideos(query), updateVideoStatus: async () => undefined },
    media,
    tasks: { run: (_key, task) => task() },
  });
  await clips.clipOf({ cameraId, fromMs: endTimeMs - hourMs, toMs: endTimeMs, cut: "exact", format: "mp4" });
}
