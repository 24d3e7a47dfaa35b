import { AppError } from "../../common/errors.ts";
import type { VerifyReport } from "../../common/mp4/verify-report.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { PutResult } from "./archive-destination.ts";

export type KnownFile = Pick<PutResult, "filePath" | "fileSizeBytes" | "fileSha256">;

/** The file as this very segment, whole; undefined when it is anything else. Throws `io` when it could not be read. */
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
  if (report.identity.recordedSha256 !== identity.recordedSha256) return undefined;
  return { filePath, fileSizeBytes: report.sizeBytes, fileSha256: report.fileSha256 };
}
