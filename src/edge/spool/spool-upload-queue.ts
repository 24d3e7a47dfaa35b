import { AppError } from "../../common/errors.ts";
import type { LoadedSegment, PutResult } from "../uploader/archive-destination.ts";
import type { UploadQueue, WaitingSegment } from "../uploader/upload-queue.ts";
import { writeAnnounceRecord } from "./announce-record.ts";
import type { Inventory, SpoolSegment } from "./inventory.ts";
import type { Quarantine } from "./quarantine.ts";
import { type ClosedSegment, readSegmentRecord } from "./segment-record.ts";
import type { SpoolLayout } from "./spool-layout.ts";
import type { SpoolState } from "./spool-state.ts";

/** Those asked for last; nobody waits for more. */
const maxPreferred = 100;

/** `closed/` as the uploader's queue. */
export class SpoolUploadQueue implements UploadQueue {
  readonly #layout: SpoolLayout;
  readonly #inventory: Inventory;
  readonly #quarantine: Quarantine;
  readonly #state: SpoolState;
  /** What {@link waiting} was made from: the same list as long as nothing changes. */
  #closed: readonly SpoolSegment[] | undefined;
  #waiting: readonly SpoolSegment[] = [];

  constructor(options: {
    layout: SpoolLayout;
    inventory: Inventory;
    quarantine: Quarantine;
    state: SpoolState;
  }) {
    this.#layout = options.layout;
    this.#inventory = options.inventory;
    this.#quarantine = options.quarantine;
    this.#state = options.state;
  }

  waiting(): readonly WaitingSegment[] {
    const closed = this.#inventory.list("closed");
    if (closed !== this.#closed) this.#waiting = closed.filter(({ held }) => !held);
    this.#closed = closed;
    return this.#waiting;
  }

  isWaiting(videoId: string): boolean {
    const segment = this.#inventory.get("closed", videoId);
    return segment !== undefined && !segment.held;
  }

  preferred(): readonly string[] {
    return this.#state.uploadFirst.filter((videoId) => this.#isToBeUploaded(videoId));
  }

  async prefer(videoId: string): Promise<boolean> {
    if (!this.#isToBeUploaded(videoId)) return false;
    const others = this.#state.uploadFirst.filter((id) => id !== videoId);
    await this.#state.setUploadFirst([videoId, ...others].slice(0, maxPreferred));
    return true;
  }

  #isToBeUploaded(videoId: string): boolean {
    return (["recording", "closed"] as const).some((state) => this.#inventory.get(state, videoId));
  }

  async load(videoId: string): Promise<LoadedSegment> {
    const { name, identity, spoolChecksum } = await this.#read(videoId);
    return {
      sourcePath: this.#layout.videoPathOf("closed", name),
      tablesPath: this.#layout.tablesPathOf("closed", name),
      identity,
      spoolChecksum,
    };
  }

  async markArchived(videoId: string, result: PutResult): Promise<void> {
    const segment = this.#inventory.get("closed", videoId);
    if (!segment) return;
    const { identity } = await this.#read(videoId);
    await writeAnnounceRecord(
      this.#layout.directoryOf("closed", segment.name),
      result.identity ?? identity,
      result,
    );
    await this.#layout.move(segment.name, "closed", "archived");
    this.#inventory.remove("closed", videoId);
    this.#inventory.add("archived", segment);
  }

  async setAside(videoId: string, reason: string): Promise<void> {
    const segment = this.#inventory.get("closed", videoId);
    if (!segment) return;
    await this.#quarantine.takeDamaged("closed", segment.name, reason);
    this.#inventory.remove("closed", videoId);
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
