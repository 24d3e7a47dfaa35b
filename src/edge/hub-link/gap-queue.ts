import type * as v from "valibot";
import type { ReportedGap } from "../../common/protocol/gap.ts";

/** Gaps that the hub has not acknowledged yet; the spool implements it. */
export interface GapQueue {
  /** Oldest first. */
  pending(): readonly v.InferInput<typeof ReportedGap>[];
  /** The hub has them. A crash may undo this: they are then pending again. Repeatable. Throws `io`. */
  markReported(gapIds: readonly string[]): Promise<void>;
  /** Calls `listener` after each gap that becomes pending. */
  onPending(listener: () => void): void;
}
