import { AppError } from "../../common/errors.ts";
import type { VerifyReport } from "../../common/mp4/verify-report.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { PutResult } from "./archive-destination.ts";

export type KnownFile = Pick<PutResult, "filePath" | "fileSizeBytes" | "fileSha256" | "identity">;

/**
 * The file as this very segment, whole, or as one that begins with all of it (the report's prefix is as long as what
 * was recorded); undefined when it is anything else. Throws `io` when it could not be read.
 */
export function knownFileOf(
  report: VerifyReport,
  filePath: string,
  identity: SegmentIdentity,
): KnownFile | undefined {
  if (report.problems.some(({ code }) => code === "unreadable")) {
    throw new AppError("io", `cannot read ${filePath} in the archive`, { details: { side: "archive" } });
  }
  // A contradiction between identity and video is in the segment, and would be in every copy of it.
  const whole = report.kind === "archive" && report.problems.every(({ code }) => code === "identity");
  if (!whole || !report.fileSha256 || report.identity?.videoId !== identity.videoId) return undefined;
  const known = { filePath, fileSizeBytes: report.sizeBytes, fileSha256: report.fileSha256 };
  if (report.identity.recordedSha256 === identity.recordedSha256) return known;
  return report.prefixSha256 === identity.recordedSha256
    ? { ...known, identity: report.identity }
    : undefined;
}
