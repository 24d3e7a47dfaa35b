import { type Clock, sleep, systemClock } from "../common/clock.ts";
import { createLogger } from "../common/log.ts";
import type { EdgeConfig } from "./config.ts";
import type { ConfigStore } from "./config-store.ts";
import type { Spool } from "./spool/spool.ts";
import { cronSchedule } from "./uploader/archive-watch.ts";
import { type Replaceable, ReplaceableDestination } from "./uploader/replaceable-destination.ts";
import { UploadWindows } from "./uploader/upload-windows.ts";
import { Uploader } from "./uploader/uploader.ts";
import { WorkerDestination } from "./uploader/worker-destination.ts";

export interface UploadsOptions {
  store: Pick<ConfigStore, "config">;
  spool: Spool;
  timeZone: string;
  clock: Clock;
  /** Starts an upload worker. */
  workerCommand: readonly string[];
}

export interface Uploads {
  uploader: Uploader;
  /** The one in use; to be closed at the end. */
  destination: ReplaceableDestination;
  /** Another, to put in its place. */
  openDestination: (config: EdgeConfig["upload"]["destination"]) => Replaceable;
}

/** From the spool to the archive, by the config as it is in force. */
export function openUploads({ store, spool, timeZone, clock, workerCommand }: UploadsOptions): Uploads {
  const logger = createLogger("uploader");
  const runFolder = store.config.system.run_path;
  const openDestination = (destination: EdgeConfig["upload"]["destination"]) =>
    new WorkerDestination({
      ...{ command: workerCommand, destination, runFolder, logger },
      stallMs: () => store.config.upload.stall_seconds * 1000,
      maxBytesPerSecond: () => store.config.upload.max_bytes_per_second,
    });
  const destination = new ReplaceableDestination(openDestination(store.config.upload.destination));
  const uploader = new Uploader({
    ...{ queue: spool.uploads, destination, clock, logger },
    order: () => store.config.upload.order,
    checkSchedule: (wallMs) => cronSchedule(store.config.upload.check_cron, timeZone)(wallMs),
    windows: () => new UploadWindows(store.config.upload.windows ?? [], timeZone),
    expectedArchiveId: () => spool.state.archiveId,
    graceMs: 0,
  });
  return { uploader, destination, openDestination };
}

/** Until everything that may go now is archived, and acknowledged, or `timeoutMs`. */
export async function untilDelivered(spool: Spool, uploader: Uploader, timeoutMs: number): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  const areUploadsDone = () => spool.uploads.waiting().length === 0 || !uploader.mayUpload;
  const isDone = () => areUploadsDone() && spool.announcements.pending().length === 0;
  while (!isDone() && systemClock.monotonicMs() < deadlineMs) await sleep(20);
}
