import type { Clock } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";

/** How the last upload found the archive: `other_archive` is not the hub's, `failing` is there and takes nothing. */
export type ArchiveState = "unknown" | "reachable" | "unreachable" | "other_archive" | "failing";

export interface UploadCounts {
  /** Since start. */
  succeeded: number;
  /** Tries that did not reach the archive; not those that somebody cancelled. */
  failed: number;
  /** Wall time since which none has succeeded, although they were tried. */
  failingSinceMs: number | undefined;
  archive: ArchiveState;
}

/** Keeps count of how uploads end. */
export class UploadTally {
  readonly #clock: Clock;
  #counts: UploadCounts = { succeeded: 0, failed: 0, failingSinceMs: undefined, archive: "unknown" };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  succeeded(): void {
    const { succeeded, failed } = this.#counts;
    this.#counts = { succeeded: succeeded + 1, failed, failingSinceMs: undefined, archive: "reachable" };
  }

  failed(error: unknown): void {
    const { succeeded, failed, failingSinceMs, archive } = this.#counts;
    this.#counts = {
      succeeded,
      failed: failed + 1,
      // A damaged segment is set aside; the next one may go.
      failingSinceMs:
        failingSinceMs ?? (errorCodeOf(error) === "corrupt_file" ? undefined : this.#clock.wallMs()),
      archive: archiveStateBy(error) ?? archive,
    };
  }

  counts(): UploadCounts {
    return this.#counts;
  }
}

/** Undefined for what says nothing about the archive: a spool file that cannot be read. */
function archiveStateBy(error: unknown): ArchiveState | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.details.reason === "other_archive") return "other_archive";
  if (error.code === "unavailable" || error.code === "timeout") return "unreachable";
  return error.details.side === "archive" ? "failing" : undefined;
}
