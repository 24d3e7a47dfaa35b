import { open } from "node:fs/promises";
import { errorFields, type Logger } from "../../common/log.ts";
import { Wakeup } from "../../common/wakeup.ts";
import { hashFile } from "./file-hash.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import type { PauseMarks } from "./pause-marks.ts";
import type { Pressure } from "./pressure.ts";
import type { Quarantine } from "./quarantine.ts";
import { type ClosedSegment, writeClosedRecord } from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";

const intervalMs = 30_000;
const leastIntervalMs = 1000;

export interface SpoolUpkeepOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  pressure: Pressure;
  quarantine: Quarantine;
  pauses: Pick<PauseMarks, "settle">;
  logger: Logger;
}

/** Keeps the spool in bounds, and writes down what the disk refused when it was due: ends of segments, and pauses. */
export class SpoolUpkeep {
  readonly #options: SpoolUpkeepOptions;
  readonly #unfinished = new Map<string, { segment: SpoolSegment; closed: ClosedSegment }>();

  constructor(options: SpoolUpkeepOptions) {
    this.#options = options;
  }

  addUnfinished(segment: SpoolSegment, closed: ClosedSegment): void {
    this.#unfinished.set(segment.videoId, { segment, closed });
  }

  /** Until aborted: after every acknowledgement and closed segment, and at least every half minute. */
  async run(signal: AbortSignal): Promise<void> {
    const { inventory, logger } = this.#options;
    const wakeup = new Wakeup();
    inventory.onEnter("acknowledged", () => wakeup.wake());
    inventory.onEnter("closed", () => wakeup.wake());
    while (!signal.aborted) {
      try {
        await this.#options.pressure.relieve();
        await this.finishLate();
        await this.#options.pauses.settle();
      } catch (error) {
        logger.error("the upkeep of the spool failed", errorFields(error));
      }
      await wakeup.wait(signal, this.#intervalMs());
    }
  }

  /** The sooner, the sooner the disk will be full. */
  #intervalMs(): number {
    const { horizonMs } = this.#options.pressure.status();
    return Math.max(leastIntervalMs, Math.min(intervalMs, (horizonMs ?? intervalMs) / 4));
  }

  /** Tries again to close what the disk refused to close. Stops at the first that it still refuses. */
  async finishLate(): Promise<void> {
    const { layout, inventory, quarantine, logger } = this.#options;
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
        // Its record is of its start; this one says where it ends.
        await writeClosedRecord(directory, closed);
        await quarantine.takeDamaged("recording", segment.name, "the disk did not keep what was recorded");
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
