import { AppError } from "../../common/errors.ts";
import { type ArchiveLayout, placeArchiveTables, planArchiveFile } from "../../common/mp4/archive-file.ts";
import type { RegularFile } from "../../common/mp4/regular-file.ts";
import { scanSegmentFile } from "../../common/mp4/segment-scan.ts";
import { readSegmentTables } from "../segment-tables.ts";
import type { PutRequest } from "./archive-destination.ts";

/**
 * What the archived file of a spool file will be: by the tables that were written when it was closed, or by its
 * fragments. Throws `corrupt_file` for one that is not whole, `not_found`, `io`.
 */
export async function planFromSource(
  { sourcePath, tablesPath, identity }: PutRequest,
  source: Pick<RegularFile, "sizeBytes" | "readAt">,
): Promise<ArchiveLayout> {
  const tables = tablesPath === undefined ? undefined : await readSegmentTables(tablesPath, identity);
  if (tables && tables.initSizeBytes + tables.fragmentsSizeBytes === source.sizeBytes)
    return placeArchiveTables(
      { ...tables, initBytes: await source.readAt(0, tables.initSizeBytes) },
      identity,
    );
  const scan = await scanSegmentFile(sourcePath, { checkTailBytes: 0, blocking: true });
  if (scan.tornBytes > 0) {
    const reason = `${scan.tornBytes} bytes at the end of the segment are damaged: ${scan.tornReason}`;
    throw new AppError("corrupt_file", reason, { details: { side: "spool" } });
  }
  return planArchiveFile({ index: scan.index, identity });
}
