import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { hasConflictRecord, readAnnounceRecord } from "./announce-record.ts";
import type { Inventory } from "./inventory.ts";
import type { Quarantine } from "./quarantine.ts";
import { type RecoveryDefaults, recoverRecording } from "./recovery.ts";
import type { Redating } from "./redating.ts";
import { formatSegmentName, parseSegmentName, type SegmentName } from "./segment-name.ts";
import { type ClosedSegment, readSegmentRecord } from "./segment-record.ts";
import type { SegmentState, SpoolLayout } from "./spool-layout.ts";

export interface SpoolLoaderOptions {
  layout: SpoolLayout;
  inventory: Inventory;
  defaults: RecoveryDefaults;
  redating: Redating;
  quarantine: Quarantine;
  logger: Logger;
}

/**
 * Finds what an earlier process left, and finishes or repairs it. Recording goes on meanwhile, so `leftBehind` is
 * taken before the first segment of this process is opened. A segment that the disk refuses to give stays where it
 * is, is logged, and tried again at the next start.
 */
export class SpoolLoader {
  readonly #options: SpoolLoaderOptions;
  /** Names in `recording/` that are to be recovered. */
  readonly #leftBehind: string[];
  /** Of a clock that was not set, in a boot of which nothing ties it to now. */
  #undatable = 0;

  private constructor(options: SpoolLoaderOptions, leftBehind: string[]) {
    this.#options = options;
    this.#leftBehind = leftBehind;
  }

  static async open(options: SpoolLoaderOptions): Promise<SpoolLoader> {
    const leftBehind = await readdir(join(options.layout.root, "recording"));
    return new SpoolLoader(options, leftBehind.sort());
  }

  async load(signal: AbortSignal): Promise<void> {
    const { layout, inventory } = this.#options;
    inventory.quarantined = (await readdir(layout.quarantineDirectory)).length;
    await this.#each("acknowledged", signal, (name, known) => this.#loadAcknowledged(name, known));
    await this.#each("archived", signal, (name, known) => this.#loadArchived(name, known));
    await this.#each("closed", signal, (name, known) => this.#loadClosed(name, known));
    await this.#each("recording", signal, (name, known) => this.#recover(name, known));
    if (this.#undatable > 0) {
      this.#options.logger.warning(
        "segments of an unset clock cannot be dated any more; they stay unsynced",
        {
          segments: this.#undatable,
        },
      );
    }
  }

  async #each(
    state: SegmentState,
    signal: AbortSignal,
    load: (name: string, known: SegmentName) => Promise<void>,
  ): Promise<void> {
    const { layout, inventory, quarantine, logger } = this.#options;
    const names = state === "recording" ? this.#leftBehind : await readdir(join(layout.root, state));
    for (const name of names.sort()) {
      if (signal.aborted) return;
      const known = parseSegmentName(name);
      try {
        if (!known) await quarantine.take(state, name, "not the name of a segment");
        else if (inventory.get(state, known.videoId)?.name === name) continue;
        else if (inventory.has(known.videoId)) await quarantine.take(state, name, "there twice");
        else await load(name, known);
      } catch (error) {
        logger.error("a segment of the spool cannot be read", { state, name, ...errorFields(error) });
      }
    }
  }

  async #loadAcknowledged(name: string, known: SegmentName): Promise<void> {
    const { layout, inventory } = this.#options;
    const sizeBytes = await sizeOf(layout.videoPathOf("acknowledged", name));
    // Eviction was interrupted after its first step.
    if (sizeBytes === undefined) {
      await rm(layout.directoryOf("acknowledged", name), { recursive: true, force: true });
      return;
    }
    inventory.add("acknowledged", { ...known, name, sizeBytes });
  }

  async #loadArchived(name: string, known: SegmentName): Promise<void> {
    const { layout, inventory } = this.#options;
    const directory = layout.directoryOf("archived", name);
    const announce = await readAnnounceRecord(directory);
    if (announce?.video_id !== known.videoId) {
      // Uploading it once more finds it in the archive and writes the announcement anew.
      await layout.move(name, "archived", "closed");
      return;
    }
    const sizeBytes = (await sizeOf(layout.videoPathOf("archived", name))) ?? 0;
    const conflict = await hasConflictRecord(directory);
    inventory.add("archived", { ...known, name, sizeBytes, ...(conflict && { conflict }) });
  }

  async #loadClosed(name: string, known: SegmentName): Promise<void> {
    const { layout, quarantine } = this.#options;
    const record = await readSegmentRecord(layout.directoryOf("closed", name));
    const sizeBytes = await sizeOf(layout.videoPathOf("closed", name));
    if (sizeBytes === undefined) return quarantine.takeDamaged("closed", name, "its video is gone");
    if (record.kind !== "closed" || record.identity.videoId !== known.videoId) {
      await layout.move(name, "closed", "recording");
      this.#leftBehind.push(name);
      return;
    }
    if (record.sizeBytes !== sizeBytes) {
      const reason = `its video has ${sizeBytes} bytes and had ${record.sizeBytes} when it was closed`;
      return quarantine.takeDamaged("closed", name, reason);
    }
    const named = record.identity.clockState === "corrected" ? formatSegmentName(record.identity) : name;
    await layout.rename("closed", name, named);
    this.#addClosed(known, named, record);
  }

  async #recover(name: string, known: SegmentName): Promise<void> {
    const { layout, defaults, quarantine, logger } = this.#options;
    const recovered = await recoverRecording(layout, name, known, defaults);
    if (recovered.outcome === "unreadable") {
      return quarantine.takeDamaged("recording", name, "the beginning of its video cannot be read");
    }
    if (recovered.outcome === "removed") {
      logger.warning("a segment with no whole fragment was removed", {
        video_id: known.videoId,
        torn_bytes: recovered.tornBytes,
      });
      return;
    }
    this.#addClosed(known, name, recovered.segment);
    logger.info("a segment that a crash left open was closed", {
      video_id: known.videoId,
      duration_ms: recovered.segment.identity.durationMs,
      torn_bytes: recovered.tornBytes,
      rebuilt: recovered.rebuilt,
    });
  }

  #addClosed(known: SegmentName, name: string, { identity, sizeBytes, anchor }: ClosedSegment): void {
    const { inventory, redating } = this.#options;
    const held = redating.holds(anchor);
    if (identity.clockState === "unsynced" && !held) this.#undatable++;
    const { startTimeMs } = identity;
    inventory.add("closed", { ...known, name, startTimeMs, sizeBytes, held });
  }
}

/** Undefined for what is not there or is no file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
    throw new AppError("io", `cannot look at ${path}`, { cause: error });
  }
}
