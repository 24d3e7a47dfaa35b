import type * as v from "valibot";
import type { AnnouncedVideo, AnnounceResult } from "../../common/protocol/announce.ts";

/** Archived segments that the hub has not acknowledged yet; the spool implements it. */
export interface AnnounceQueue {
  /** Oldest first; without those that the hub refused for good. */
  pending(): readonly string[];
  /** What to tell the hub. Undefined for one that is no longer pending. Throws `io`. */
  load(videoId: string): Promise<v.InferInput<typeof AnnouncedVideo> | undefined>;
  /** The hub has them. A crash may undo this: they are then pending again. Repeatable. Throws `io`. */
  markAcknowledged(videoIds: readonly string[]): Promise<void>;
  /** The hub has something else under its id or path: kept with what the hub said, no longer pending. */
  markConflict(videoId: string, result: AnnounceResult): Promise<void>;
  /** Calls `listener` after each segment that becomes pending. */
  onPending(listener: () => void): void;
}
