import type { Clock } from "../common/clock.ts";
import type { Logger } from "../common/log.ts";
import { fileSystemOf } from "./archive/file-system-of.ts";
import type { HubConfig } from "./config.ts";
import { createDirectoryMediaSource } from "./playback/directory-media-source.ts";
import { createDirectoryPictureStore } from "./playback/directory-picture-store.ts";
import { KeptDescriptors } from "./playback/kept-descriptors.ts";
import type { MediaSource } from "./playback/media-source.ts";
import type { PictureStore } from "./playback/picture-store.ts";
import { MediaWorkers } from "./playback/workers/media-workers.ts";
import { createWorkerMediaSource, createWorkerPictureStore } from "./playback/workers/worker-media-source.ts";

/** How the hub reads the archive, and keeps pictures in it. */
export interface ArchiveAccess extends Disposable {
  media: MediaSource;
  pictureStore: PictureStore;
  /** Reading may hang; what nobody asked for is better not read. */
  mayHang: boolean;
}

export interface ArchiveAccessOptions {
  config: Pick<HubConfig, "archive_path" | "archive_access">;
  selfCommand: readonly string[];
  archiveId: () => string | undefined;
  clock: Clock;
  logger: Logger;
}

/** By itself where the archive is a local disk, which is quickest; by workers where it may hang. */
export function openArchiveAccess(options: ArchiveAccessOptions): ArchiveAccess {
  const { config, selfCommand, archiveId, clock, logger } = options;
  const root = config.archive_path;
  if (!usesWorkers(config, logger)) {
    const descriptors = new KeptDescriptors();
    return {
      media: createDirectoryMediaSource({ root, archiveId, descriptors }),
      pictureStore: createDirectoryPictureStore(root),
      mayHang: false,
      [Symbol.dispose]: () => descriptors[Symbol.dispose](),
    };
  }
  const workers = new MediaWorkers({ selfCommand, root, clock, logger });
  return {
    media: createWorkerMediaSource({ workers, archiveId, clock, logger }),
    pictureStore: createWorkerPictureStore(workers),
    mayHang: true,
    [Symbol.dispose]: () => workers[Symbol.dispose](),
  };
}

function usesWorkers(
  { archive_access, archive_path }: ArchiveAccessOptions["config"],
  logger: Logger,
): boolean {
  if (archive_access !== "auto") return archive_access === "workers";
  const { type, mayHang } = fileSystemOf(archive_path);
  logger.info("the archive's file system", { type, read_by: mayHang ? "workers" : "hub" });
  return mayHang;
}
