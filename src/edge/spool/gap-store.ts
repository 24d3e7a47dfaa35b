import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { AppError } from "../../common/errors.ts";
import { newUuidV7 } from "../../common/ids.ts";
import type { Logger } from "../../common/log.ts";
import { ReportedGap } from "../../common/protocol/gap.ts";
import { formatWireTime, plainTextOf } from "../../common/protocol/wire.ts";
import type { GapQueue } from "../hub-link/gap-queue.ts";
import type { HubJournal } from "./hub-journal.ts";
import type { GapSpan } from "./plan-gaps.ts";
import { readJson } from "./segment-record.ts";

type GapJson = v.InferInput<typeof ReportedGap>;

/** `gaps/<gap_id>.json`: what was not recorded, until the hub knows of it. */
export class GapStore implements GapQueue {
  readonly #directory: string;
  readonly #journal: HubJournal;
  readonly #logger: Logger;
  readonly #gaps = new Map<string, GapJson>();
  readonly #listeners: (() => void)[] = [];

  constructor(options: { root: string; journal: HubJournal; logger: Logger }) {
    this.#directory = join(options.root, "gaps");
    this.#journal = options.journal;
    this.#logger = options.logger;
  }

  /** Finds what an earlier process left. Throws `io`. */
  async load(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true });
      for (const name of (await readdir(this.#directory)).sort()) await this.#loadFile(name);
    } catch (cause) {
      throw new AppError("io", "the gaps in the spool cannot be read", { cause });
    }
    if (this.#gaps.size > 0) this.#notify();
  }

  /** Durable when it resolves. The same id again changes nothing. Throws `io`. */
  async add(cameraId: string, span: GapSpan, gapId = newUuidV7(span.fromMs)): Promise<void> {
    if (this.#gaps.has(gapId)) return;
    const gap: GapJson = {
      gap_id: gapId,
      camera_id: cameraId,
      from_time: formatWireTime(span.fromMs),
      to_time: formatWireTime(span.toMs),
      cause: span.cause,
      detail: plainTextOf(span.detail, 500),
    };
    try {
      await mkdir(this.#directory, { recursive: true });
      await writeFileAtomic(this.#pathOf(gapId), JSON.stringify(gap, null, 1));
    } catch (cause) {
      throw new AppError("io", "a gap cannot be written down", { cause });
    }
    this.#gaps.set(gapId, gap);
    this.#logger.warning("footage is missing", {
      camera_id: cameraId,
      from: gap.from_time,
      to: gap.to_time,
      cause: gap.cause,
      detail: gap.detail,
    });
    this.#notify();
  }

  pending(): readonly GapJson[] {
    // UUIDv7: ids sort by the start of the gap.
    return [...this.#gaps.values()].sort((a, b) => (a.gap_id < b.gap_id ? -1 : 1));
  }

  async markReported(gapIds: readonly string[]): Promise<void> {
    const gaps = gapIds.flatMap((gapId) => this.#gaps.get(gapId) ?? []);
    await this.#journal.note(gaps.map((gap) => ({ gap })));
    for (const gapId of gapIds) {
      // Not synced: a power cut that undoes it has the gap reported again, and the hub knows it.
      await rm(this.#pathOf(gapId), { force: true });
      this.#gaps.delete(gapId);
    }
  }

  onPending(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The gaps of a camera that are still to be reported, without order. */
  spansOf(cameraId: string): { fromMs: number; toMs: number }[] {
    return [...this.#gaps.values()]
      .filter((gap) => gap.camera_id === cameraId)
      .map((gap) => ({ fromMs: Date.parse(gap.from_time), toMs: Date.parse(gap.to_time) }));
  }

  async #loadFile(name: string): Promise<void> {
    const path = join(this.#directory, name);
    // A crash between write and rename; what it was to become is told by the state that stayed with it.
    if (!name.endsWith(".json")) return rm(path, { recursive: true, force: true });
    const json = await readJson(path);
    if (v.is(ReportedGap, json) && `${json.gap_id}.json` === name) this.#gaps.set(json.gap_id, json);
    else this.#logger.error("a gap that was written down cannot be read", { path });
  }

  #pathOf(gapId: string): string {
    return join(this.#directory, `${gapId}.json`);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
