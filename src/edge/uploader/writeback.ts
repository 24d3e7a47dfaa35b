import { dlopen } from "bun:ffi";

/** SYNC_FILE_RANGE_WRITE of sync_file_range(2): begin to write, and wait for nothing. */
const beginToWrite = 2;

type SyncFileRange = (fd: number, offset: number, length: number, flags: number) => number;

let syncFileRange: SyncFileRange | undefined | "unknown" = "unknown";

/**
 * Has the kernel begin to send written bytes to the disk or server, so that the sync at the end finds little left to
 * do. A hint: where it is not to be had (another libc, a file system that does not know it) the sync does it all, and
 * that is also who tells what failed.
 */
export function startWriteback(fd: number, offset: number, length: number): void {
  if (syncFileRange === "unknown") syncFileRange = findSyncFileRange();
  syncFileRange?.(fd, offset, length, beginToWrite);
}

function findSyncFileRange(): SyncFileRange | undefined {
  try {
    const { symbols } = dlopen("libc.so.6", {
      sync_file_range: { args: ["i32", "i64", "i64", "u32"], returns: "i32" },
    });
    return symbols.sync_file_range;
  } catch {
    return undefined;
  }
}
