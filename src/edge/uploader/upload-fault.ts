import { AppError, errorCodeOf } from "../../common/errors.ts";

/**
 * Whose fault it is that an upload did not succeed, which decides what is tried next: nobody's (`cancelled`); the
 * segment's, which is damaged (`damaged`) or fails for itself (`segment`); the archive's, which cannot be reached
 * (`away`) or takes nothing (`archive`), so that trying another segment would fail as well.
 */
export type UploadFault = "cancelled" | "damaged" | "segment" | "away" | "archive";

export function faultOf(error: unknown): UploadFault {
  const code = errorCodeOf(error);
  if (code === "cancelled") return "cancelled";
  if (code === "corrupt_file") return "damaged";
  if (!(error instanceof AppError)) return "segment";
  if (code === "unavailable" || code === "timeout") return "away";
  return error.details.side === "archive" ? "archive" : "segment";
}
