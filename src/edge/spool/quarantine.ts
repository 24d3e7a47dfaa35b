import { stat } from "node:fs/promises";
import type { Logger } from "../../common/log.ts";
import type { GapLedger } from "./gap-ledger.ts";
import type { Inventory } from "./inventory.ts";
import { parseSegmentName, type SegmentName } from "./segment-name.ts";
import { readSegmentRecord } from "./segment-record.ts";
import type { SegmentState, SpoolLayout } from "./spool-layout.ts";

export interface QuarantineOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  ledger: Pick<GapLedger, "lost">;
  logger: Logger;
}

/** No segment is longer; a file's time further from its start tells nothing of its end. */
const longestSegmentMs = 3_700_000;

/** Sets aside, for people, what cannot be believed any more, and says what of the recording is lost with it. */
export class Quarantine {
  readonly #options: QuarantineOptions;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** Footage that is nowhere else: its time is a gap, written before the segment moves. Throws `io`. */
  async takeDamaged(state: SegmentState, name: string, reason: string): Promise<void> {
    const known = parseSegmentName(name);
    if (known) {
      const span = await this.#spanOf(state, name, known);
      await this.#options.ledger.lost(known, { ...span, cause: "damaged", detail: reason });
    }
    await this.take(state, name, reason);
  }

  /** Something that is no footage, or is there a second time. Throws `io`. */
  async take(state: SegmentState, name: string, reason: string): Promise<void> {
    const { layout, inventory, logger } = this.#options;
    const path = await layout.setAside(state, name);
    inventory.quarantined++;
    logger.error("a segment was set aside", { state, path, reason });
  }

  /** By its record, else by its name and the time of the last write. */
  async #spanOf(state: SegmentState, name: string, known: SegmentName) {
    const { layout } = this.#options;
    const record = await readSegmentRecord(layout.directoryOf(state, name));
    if (record.kind === "closed" && record.identity.videoId === known.videoId) {
      return { fromMs: record.identity.startTimeMs, toMs: record.identity.endTimeMs };
    }
    const fromMs = known.startTimeMs;
    const writtenMs = await stat(layout.videoPathOf(state, name)).then(
      ({ mtimeMs }) => Math.floor(mtimeMs),
      () => fromMs,
    );
    const isBelievable = writtenMs > fromMs && writtenMs - fromMs < longestSegmentMs;
    return { fromMs, toMs: isBelievable ? writtenMs : fromMs + 1000 };
  }
}
