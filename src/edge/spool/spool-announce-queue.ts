import type * as v from "valibot";
import type { Logger } from "../../common/log.ts";
import type { AnnouncedVideo, AnnounceResult } from "../../common/protocol/announce.ts";
import type { AnnounceQueue } from "../hub-link/announce-queue.ts";
import { readAnnounceRecord, writeConflictRecord } from "./announce-record.ts";
import type { HubJournal } from "./hub-journal.ts";
import type { Inventory } from "./inventory.ts";
import type { SpoolLayout } from "./spool-layout.ts";

/** `archived/` as the announcer's queue. */
export class SpoolAnnounceQueue implements AnnounceQueue {
  readonly #layout: SpoolLayout;
  readonly #inventory: Inventory;
  readonly #journal: HubJournal;
  readonly #logger: Logger;

  constructor(options: { layout: SpoolLayout; inventory: Inventory; journal: HubJournal; logger: Logger }) {
    this.#layout = options.layout;
    this.#inventory = options.inventory;
    this.#journal = options.journal;
    this.#logger = options.logger;
  }

  pending(): readonly string[] {
    return this.#inventory
      .list("archived")
      .filter((segment) => !segment.conflict)
      .map((segment) => segment.videoId);
  }

  async load(videoId: string): Promise<v.InferInput<typeof AnnouncedVideo> | undefined> {
    const segment = this.#inventory.get("archived", videoId);
    if (!segment) return undefined;
    const record = await readAnnounceRecord(this.#layout.directoryOf("archived", segment.name));
    if (record?.video_id === videoId) return record;
    // Uploading it once more finds it in the archive and writes the record anew.
    await this.#layout.move(segment.name, "archived", "closed");
    this.#inventory.remove("archived", videoId);
    this.#inventory.add("closed", segment);
    this.#logger.warning("an announcement could not be read; the segment goes back to the uploads", {
      video_id: videoId,
    });
    return undefined;
  }

  async markAcknowledged(videoIds: readonly string[]): Promise<void> {
    const segments = videoIds.flatMap((videoId) => this.#inventory.get("archived", videoId) ?? []);
    const videos = await Promise.all(
      segments.map(({ name }) => readAnnounceRecord(this.#layout.directoryOf("archived", name))),
    );
    // First of all: what lies in `acknowledged/` may be evicted, and then only the journal knows of it.
    await this.#journal.note(videos.flatMap((video) => (video ? [{ video }] : [])));
    for (const segment of segments) {
      // Not synced: a power cut that undoes it has the segment announced again, and the hub says "duplicate".
      await this.#layout.move(segment.name, "archived", "acknowledged", { sync: false });
      this.#inventory.remove("archived", segment.videoId);
      this.#inventory.add("acknowledged", segment);
    }
  }

  async markConflict(videoId: string, result: AnnounceResult): Promise<void> {
    const segment = this.#inventory.get("archived", videoId);
    if (!segment) return;
    segment.conflict = true;
    await writeConflictRecord(this.#layout.directoryOf("archived", segment.name), result);
  }

  onPending(listener: () => void): void {
    this.#inventory.onEnter("archived", listener);
  }
}
