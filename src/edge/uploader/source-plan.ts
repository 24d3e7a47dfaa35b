import { AppError } from "../../common/errors.ts";
import { type ArchiveLayout, planArchiveFile } from "../../common/mp4/archive-file.ts";
import { scanSegmentFile } from "../../common/mp4/segment-scan.ts";
import type { PutRequest } from "./archive-destination.ts";

/** What the archived file of a spool file will be. Throws `corrupt_file` for one that is not whole, `not_found`, `io`. */
export async function planFromSource({ sourcePath, identity }: PutRequest): Promise<ArchiveLayout> {
  const scan = await scanSegmentFile(sourcePath, { checkTailBytes: 0, blocking: true });
  if (scan.tornBytes > 0) {
    const reason = `${scan.tornBytes} bytes at the end of the segment are damaged: ${scan.tornReason}`;
    throw new AppError("corrupt_file", reason, { details: { side: "spool" } });
  }
  return planArchiveFile({ index: scan.index, identity });
}
