import { AppError, errnoOf, errorCodeOf } from "../../common/errors.ts";

/**
 * Whose fault it is that an upload did not succeed, which decides what is tried next: nobody's (`cancelled`); the
 * segment's, which is damaged (`damaged`) or fails for itself (`segment`); the archive's, which cannot be reached
 * (`away`) or takes nothing (`archive`), or the spool's, whose disk has no room for what says that a segment is archived
 * (`spool`), so that trying another one would fail as well.
 */
export type UploadFault = "cancelled" | "damaged" | "segment" | "away" | "archive" | "spool";

/** Of a disk that takes nothing from anybody. */
const fullDisk = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

export function faultOf(error: unknown): UploadFault {
  const code = errorCodeOf(error);
  if (code === "cancelled") return "cancelled";
  if (code === "corrupt_file") return "damaged";
  // The archive's own come with their side.
  if (!(error instanceof AppError)) return fullDisk.has(errnoOf(error) ?? "") ? "spool" : "segment";
  if (code === "unavailable" || code === "timeout") return "away";
  return error.details.side === "archive" ? "archive" : "segment";
}
