import { open, rm, statfs, unlink } from "node:fs/promises";
import { errnoOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { Wakeup } from "../../common/wakeup.ts";
import { planEviction } from "./eviction.ts";
import { hashFile } from "./file-hash.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import { type ClosedSegment, writeClosedRecord } from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";

const intervalMs = 30_000;

export interface SpoolUpkeepOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  maxAcknowledgedBytes: number;
  logger: Logger;
}

/** Keeps the spool in bounds, and closes what could not be closed when it ended. */
export class SpoolUpkeep {
  readonly #options: SpoolUpkeepOptions;
  readonly #unfinished = new Map<string, { segment: SpoolSegment; closed: ClosedSegment }>();

  constructor(options: SpoolUpkeepOptions) {
    this.#options = options;
  }

  addUnfinished(segment: SpoolSegment, closed: ClosedSegment): void {
    this.#unfinished.set(segment.videoId, { segment, closed });
  }

  /** Until aborted: after every acknowledgement and closed segment, and every half minute. */
  async run(signal: AbortSignal): Promise<void> {
    const { inventory, logger } = this.#options;
    const wakeup = new Wakeup();
    inventory.onEnter("acknowledged", () => wakeup.wake());
    inventory.onEnter("closed", () => wakeup.wake());
    while (!signal.aborted) {
      try {
        await this.evict();
        await this.finishLate();
      } catch (error) {
        logger.error("the upkeep of the spool failed", errorFields(error));
      }
      await wakeup.wait(signal, intervalMs);
    }
  }

  /** Deletes acknowledged segments, oldest first, while there are too many of them. Never another state. */
  async evict(): Promise<void> {
    const { layout, inventory, maxAcknowledgedBytes, logger } = this.#options;
    const planned = planEviction({
      acknowledged: inventory.list("acknowledged"),
      maxBytes: maxAcknowledgedBytes,
      disk: await diskOf(layout.root),
    });
    for (const videoId of planned) {
      const segment = inventory.get("acknowledged", videoId);
      if (!segment) continue;
      const directory = layout.directoryOf("acknowledged", segment.name);
      // The video first: a directory without one is an eviction to be finished.
      await unlink(layout.videoPathOf("acknowledged", segment.name)).catch(ignoreMissing);
      await rm(directory, { recursive: true, force: true });
      inventory.remove("acknowledged", videoId);
      logger.debug("an acknowledged segment was evicted", {
        video_id: videoId,
        size_bytes: segment.sizeBytes,
      });
    }
  }

  /** Tries again to close what the disk refused to close. Stops at the first that it still refuses. */
  async finishLate(): Promise<void> {
    const { layout, inventory, logger } = this.#options;
    for (const [videoId, { segment, closed }] of this.#unfinished) {
      const directory = layout.directoryOf("recording", segment.name);
      const path = layout.videoPathOf("recording", segment.name);
      const file = await open(path, "r+");
      try {
        await file.truncate(closed.sizeBytes);
        await file.sync();
      } finally {
        await file.close();
      }
      // A sync has failed, and a later one says nothing about what was lost then: only reading it does.
      if ((await hashFile(path)) !== closed.identity.recordedSha256) {
        const aside = await layout.setAside("recording", segment.name);
        inventory.quarantined++;
        logger.error("a segment was set aside", {
          path: aside,
          reason: "the disk did not keep what was recorded",
        });
      } else {
        await writeClosedRecord(directory, closed);
        await layout.move(segment.name, "recording", "closed");
        inventory.add("closed", segment);
        logger.info("a segment that could not be closed in time was closed", { video_id: videoId });
      }
      inventory.remove("recording", videoId);
      this.#unfinished.delete(videoId);
    }
  }
}

async function diskOf(path: string): Promise<{ totalBytes: number; freeBytes: number } | undefined> {
  const { blocks, bavail, bsize } = await statfs(path);
  return blocks > 0 ? { totalBytes: blocks * bsize, freeBytes: bavail * bsize } : undefined;
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== "ENOENT") throw error;
}
