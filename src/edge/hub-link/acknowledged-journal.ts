import type * as v from "valibot";
import type { AnnouncedVideo } from "../../common/protocol/announce.ts";
import type { ReportedGap } from "../../common/protocol/gap.ts";

/** One line of what the hub has acknowledged, or a bookmark: everything before it was acknowledged before it was made. */
export type JournalEntry =
  | { video: v.InferInput<typeof AnnouncedVideo> }
  | { gap: v.InferInput<typeof ReportedGap> }
  | { bookmark: string };

/** What the hub has acknowledged, in that order, for as long as it may have to be told again; the spool implements it. */
export interface AcknowledgedJournal {
  /**
   * What was noted after the bookmark, oldest first; all there is for null, and for a bookmark that is not in it.
   * Throws `io`.
   */
  entriesAfter(bookmark: string | null): AsyncIterable<JournalEntry>;
  /** The bookmark behind all that was noted; it is made where there is none, and durable. Null of an empty journal. Throws `io`. */
  mark(): Promise<string | null>;
  /** Calls `listener` after something was noted. */
  onNoted(listener: () => void): void;
}
