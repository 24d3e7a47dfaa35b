import type { Clock } from "../../common/clock.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { SegmentStart } from "../recorder/segment-sink.ts";
import type { Boot, ClockAnchor } from "./clock-anchor.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import { formatSegmentName } from "./segment-name.ts";
import { type ClosedSegment, readSegmentRecord, writeClosedRecord } from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";

/** What it takes to date segments anew. */
export interface Dating {
  boot: Boot;
  clockSync: () => "synced" | "unsynced";
  /** How long a segment waits for the clock before it is uploaded with the date it has. */
  holdMs: Live<number>;
}

export interface RedatingOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  clock: Clock;
  logger: Logger;
  /** Without it, nothing is held back and nothing is dated anew. */
  dating: Dating | undefined;
}

const intervalMs = 2000;

/**
 * Holds closed segments of an unset clock back from the upload until the clock is set, and then dates them anew.
 * Only here is a segment released; from then on, it keeps its date, since it may be in the archive with it.
 */
export class Redating {
  readonly #options: RedatingOptions;

  constructor(options: RedatingOptions) {
    this.#options = options;
  }

  /** What is to be remembered of a segment that is opened now. */
  anchorOf(start: SegmentStart): ClockAnchor | undefined {
    const { dating } = this.#options;
    if (!dating || start.clockState !== "unsynced" || start.wallOffsetMs === undefined) return undefined;
    const { bootId, uptimeOffsetMs } = dating.boot;
    return { bootId, wallOffsetMs: start.wallOffsetMs - uptimeOffsetMs };
  }

  /** Whether a closed segment with this anchor is to wait for the clock. */
  holds(anchor: ClockAnchor | undefined): boolean {
    return anchor !== undefined && anchor.bootId === this.#options.dating?.boot.bootId;
  }

  /** Until aborted: with every closed segment, and every two seconds while one is held. */
  async run(signal: AbortSignal): Promise<void> {
    const { inventory, logger } = this.#options;
    const wakeup = new Wakeup();
    inventory.onEnter("closed", () => wakeup.wake());
    while (!signal.aborted) {
      try {
        await this.settle();
      } catch (error) {
        logger.error("a segment of an unset clock could not be dated", errorFields(error));
      }
      await wakeup.wait(signal, this.#held().length > 0 ? intervalMs : undefined);
    }
  }

  /** Dates anew, or releases, what needs not wait any longer. Stops at the first that the disk refuses. */
  async settle(): Promise<void> {
    const { dating } = this.#options;
    if (!dating) return;
    for (const segment of this.#held()) {
      const record = await this.#read(segment);
      if (!record) this.#replace(segment, segment);
      // Interrupted before its new name.
      else if (!record.anchor) await this.#name(segment, record.identity);
      else if (dating.clockSync() === "synced") await this.#redate(segment, record, record.anchor, dating);
      else if (this.#waitedMs(record, record.anchor, dating) >= inForce(dating.holdMs)) {
        await this.#release(segment, record);
      }
    }
  }

  /** The record first, then the name: after a crash between them, the loader gives the name. */
  async #redate(segment: SpoolSegment, record: ClosedSegment, anchor: ClockAnchor, dating: Dating) {
    const { layout, clock, logger } = this.#options;
    const byMs = Math.round(clock.wallMs() - this.#uptimeMs(dating) - anchor.wallOffsetMs);
    const identity = {
      ...record.identity,
      startTimeMs: record.identity.startTimeMs + byMs,
      endTimeMs: record.identity.endTimeMs + byMs,
      clockState: "corrected" as const,
    };
    const dated = { ...record, identity, anchor: undefined };
    await writeClosedRecord(layout.directoryOf("closed", segment.name), dated);
    await this.#name(segment, identity);
    logger.info("a segment was dated anew, now that the clock is set", {
      video_id: segment.videoId,
      name: formatSegmentName(identity),
      by_ms: byMs,
    });
  }

  async #name(segment: SpoolSegment, identity: SegmentIdentity): Promise<void> {
    const name = formatSegmentName(identity);
    await this.#options.layout.rename("closed", segment.name, name);
    this.#replace(segment, { ...segment, name, startTimeMs: identity.startTimeMs });
  }

  async #release(segment: SpoolSegment, record: ClosedSegment) {
    const { layout, logger } = this.#options;
    await writeClosedRecord(layout.directoryOf("closed", segment.name), { ...record, anchor: undefined });
    this.#replace(segment, segment);
    logger.warning("the clock is not set; a segment is uploaded with the date it has", {
      video_id: segment.videoId,
      name: segment.name,
    });
  }

  #held(): SpoolSegment[] {
    return this.#options.inventory.list("closed").filter(({ held }) => held);
  }

  async #read(segment: SpoolSegment): Promise<ClosedSegment | undefined> {
    const record = await readSegmentRecord(this.#options.layout.directoryOf("closed", segment.name));
    return record.kind === "closed" ? record : undefined;
  }

  /** Since it ended, through restarts. */
  #waitedMs({ identity }: ClosedSegment, anchor: ClockAnchor, dating: Dating): number {
    return this.#uptimeMs(dating) + anchor.wallOffsetMs - identity.endTimeMs;
  }

  #uptimeMs({ boot }: Dating): number {
    return this.#options.clock.monotonicMs() + boot.uptimeOffsetMs;
  }

  /** No longer held: whoever uploads hears of it. */
  #replace(segment: SpoolSegment, { held, ...released }: SpoolSegment): void {
    const { inventory } = this.#options;
    // Deleted meanwhile, to make room.
    if (inventory.get("closed", segment.videoId) !== segment) return;
    inventory.add("closed", released);
  }
}
