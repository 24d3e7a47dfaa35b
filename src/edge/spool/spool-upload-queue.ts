import { AppError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { PutResult } from "../uploader/archive-destination.ts";
import type { UploadQueue, WaitingSegment } from "../uploader/upload-queue.ts";
import { writeAnnounceRecord } from "./announce-record.ts";
import type { Inventory } from "./inventory.ts";
import { type ClosedSegment, readSegmentRecord } from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";

/** `closed/` as the uploader's queue. */
export class SpoolUploadQueue implements UploadQueue {
  readonly #layout: SpoolLayout;
  readonly #inventory: Inventory;
  readonly #logger: Logger;

  constructor(options: { layout: SpoolLayout; inventory: Inventory; logger: Logger }) {
    this.#layout = options.layout;
    this.#inventory = options.inventory;
    this.#logger = options.logger;
  }

  waiting(): readonly WaitingSegment[] {
    return this.#inventory.list("closed").filter(({ held }) => !held);
  }

  async load(videoId: string): Promise<{ sourcePath: string; identity: SegmentIdentity }> {
    const { name, identity } = await this.#read(videoId);
    return { sourcePath: this.#layout.videoPathOf("closed", name), identity };
  }

  async markArchived(videoId: string, result: PutResult): Promise<void> {
    const segment = this.#inventory.get("closed", videoId);
    if (!segment) return;
    const { identity } = await this.#read(videoId);
    await writeAnnounceRecord(this.#layout.directoryOf("closed", segment.name), identity, result);
    await this.#layout.move(segment.name, "closed", "archived");
    this.#inventory.remove("closed", videoId);
    this.#inventory.add("archived", segment);
  }

  async setAside(videoId: string, reason: string): Promise<void> {
    const segment = this.#inventory.get("closed", videoId);
    if (!segment) return;
    const path = await this.#layout.setAside("closed", segment.name);
    this.#inventory.remove("closed", videoId);
    this.#inventory.quarantined++;
    this.#logger.error("a segment was set aside", { video_id: videoId, path, reason });
  }

  onWaiting(listener: () => void): void {
    this.#inventory.onEnter("closed", listener);
  }

  async #read(videoId: string): Promise<ClosedSegment & { name: string }> {
    const segment = this.#inventory.get("closed", videoId);
    if (!segment) throw new AppError("not_found", `no segment ${videoId} waits in the spool`);
    const record = await readSegmentRecord(this.#layout.directoryOf("closed", segment.name));
    if (record.kind !== "closed" || record.identity.videoId !== videoId) {
      throw new AppError("corrupt_file", `the record of segment ${videoId} cannot be read any more`);
    }
    return { ...record, name: segment.name };
  }
}
