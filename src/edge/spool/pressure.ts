import { rm, statfs, unlink } from "node:fs/promises";
import { AppError, errnoOf } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { GapLedger } from "./gap-ledger.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import { horizonMsOf, type PressurePlan, planPressure, type WhenFull } from "./plan-pressure.ts";
import { readSegmentRecord } from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";
import type { SpoolState } from "./spool-state.ts";

/** What the spool asks of the rest of the node when the disk fills. */
export interface PressurePolicy {
  whenFull: Live<WhenFull>;
  /** What all cameras make now; 0 while none does. */
  bytesPerSecond: () => number;
  /** Asks the cameras that can for less, or for the usual again. Never rejects. */
  compress: (isCompressed: boolean) => Promise<void>;
  /** Whether a segment is on its way to the archive right now. */
  isUploading: (videoId: string) => boolean;
}

export interface PressureOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  state: SpoolState;
  ledger: Pick<GapLedger, "lost">;
  maxAcknowledgedBytes: Live<number>;
  /** Without it, nothing but eviction happens. */
  policy: PressurePolicy | undefined;
  logger: Logger;
}

/** How often each step was taken, since start. */
export interface PressureCounts {
  evicted: number;
  compressed: number;
  stopped: number;
  overwritten: number;
}

type Disk = { totalBytes: number; freeBytes: number };

/** Takes the steps of {@link planPressure}, and undoes them. */
export class Pressure {
  readonly #options: PressureOptions;
  readonly #counts: PressureCounts = { evicted: 0, compressed: 0, stopped: 0, overwritten: 0 };
  #state = { isCompressed: false, isFull: false, isStopped: false };
  /** What the cameras make when nothing is asked of them. */
  #usualBytesPerSecond = 0;
  #disk: Disk | undefined;

  constructor(options: PressureOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#state.isStopped;
  }

  /** The strongest step in force. */
  status(): {
    step: "none" | "compressed" | "stopped";
    counts: PressureCounts;
    horizonMs: number | undefined;
  } {
    const { inventory, policy } = this.#options;
    const { isCompressed, isStopped } = this.#state;
    const bytesPerSecond = policy?.bytesPerSecond() || this.#usualBytesPerSecond;
    const acknowledgedBytes = inventory.sizeBytes("acknowledged");
    return {
      step: isStopped ? "stopped" : isCompressed ? "compressed" : "none",
      counts: { ...this.#counts },
      horizonMs: this.#disk && horizonMsOf({ disk: this.#disk, acknowledgedBytes, bytesPerSecond }),
    };
  }

  /** Throws `io`: what was not done then is done the next time. */
  async relieve(): Promise<void> {
    const { layout, inventory, maxAcknowledgedBytes, policy } = this.#options;
    const nowBytesPerSecond = policy?.bytesPerSecond() ?? 0;
    if (!this.#state.isCompressed && nowBytesPerSecond > 0) this.#usualBytesPerSecond = nowBytesPerSecond;
    this.#disk = await diskOf(layout.root);
    const plan = planPressure({
      disk: this.#disk,
      acknowledged: inventory.list("acknowledged"),
      unsent: inventory.list("closed").filter(({ videoId }) => !policy?.isUploading(videoId)),
      maxAcknowledgedBytes: inForce(maxAcknowledgedBytes),
      bytesPerSecond: this.#usualBytesPerSecond,
      whenFull: policy ? inForce(policy.whenFull) : "stop_recording",
      before: this.#state,
    });
    for (const videoId of plan.evict) await this.#evict(videoId);
    if (!policy) return;
    await this.#step(plan, policy);
    for (const videoId of plan.overwrite) await this.#overwrite(videoId);
  }

  async #step(plan: PressurePlan, policy: PressurePolicy): Promise<void> {
    const { logger } = this.#options;
    const { isCompressed, isFull, isStopped } = plan;
    const before = this.#state;
    this.#state = { isCompressed, isFull, isStopped };
    const fields = { free_bytes: this.#disk?.freeBytes };
    if (isStopped && !before.isStopped) {
      this.#counts.stopped++;
      logger.error("the disk of the spool is full: nothing is recorded until there is room", fields);
    } else if (before.isStopped && !isStopped) logger.info("there is room: recording goes on", fields);
    if (isCompressed === before.isCompressed) return;
    if (isCompressed) {
      this.#counts.compressed++;
      logger.warning("the disk of the spool fills: cameras are asked for less", fields);
    } else logger.info("there is room: cameras record as usual", fields);
    await policy.compress(isCompressed);
  }

  async #evict(videoId: string): Promise<void> {
    const { inventory, logger } = this.#options;
    const segment = inventory.get("acknowledged", videoId);
    if (!segment) return;
    await this.#delete(segment);
    this.#counts.evicted++;
    logger.debug("an acknowledged segment was evicted", { video_id: videoId, size_bytes: segment.sizeBytes });
  }

  /** Loss. The gap comes first: what is gone without a word would be a lie; what is there after all is a duplicate. */
  async #overwrite(videoId: string): Promise<void> {
    const { layout, inventory, state, ledger, logger } = this.#options;
    const segment = inventory.get("closed", videoId);
    if (!segment) return;
    const record = await readSegmentRecord(layout.directoryOf("closed", segment.name));
    if (record.kind !== "closed") {
      throw new AppError("corrupt_file", `the record of segment ${videoId} cannot be read any more`);
    }
    const { startTimeMs: fromMs, endTimeMs: toMs } = record.identity;
    const detail = "deleted before it was archived, to make room for newer footage";
    await ledger.lost(segment, { fromMs, toMs, cause: "evicted_unsent", detail });
    // Interrupted from here on, it is evicted like any other.
    await layout.move(segment.name, "closed", "acknowledged", { sync: false });
    inventory.remove("closed", videoId);
    inventory.add("acknowledged", segment);
    await this.#delete(segment);
    this.#counts.overwritten++;
    logger.error("a segment that was not archived was deleted to make room", { video_id: videoId });
    await state.addLostSegment().catch((error: unknown) => {
      // The disk is full: the number is right in memory, and written with the next one.
      logger.warning("the number of lost segments could not be written down", errorFields(error));
    });
  }

  /** The video first: a directory without one is an eviction to be finished. */
  async #delete(segment: SpoolSegment): Promise<void> {
    const { layout, inventory } = this.#options;
    await unlink(layout.videoPathOf("acknowledged", segment.name)).catch(ignoreMissing);
    await rm(layout.directoryOf("acknowledged", segment.name), { recursive: true, force: true });
    inventory.remove("acknowledged", segment.videoId);
  }
}

async function diskOf(path: string): Promise<Disk | undefined> {
  const { blocks, bavail, bsize } = await statfs(path);
  return blocks > 0 ? { totalBytes: blocks * bsize, freeBytes: bavail * bsize } : undefined;
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== "ENOENT") throw error;
}
