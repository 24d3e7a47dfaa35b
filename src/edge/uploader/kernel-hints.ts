import { dlopen } from "bun:ffi";

/** SYNC_FILE_RANGE_WRITE of sync_file_range(2): begin to write, and wait for nothing. */
const beginToWrite = 2;
/** FALLOC_FL_KEEP_SIZE of fallocate(2): the file is no longer by it. */
const keepSize = 1;

/** ext4, XFS, Btrfs (statfs(2)): there it is done in no time; others write zeros, as tmpfs does, or ask a server. */
const reservingTypes = [0xef53, 0x58465342, 0x9123683e];

interface Calls {
  sync_file_range(fd: number, offset: number, length: number, flags: number): number;
  fallocate(fd: number, mode: number, offset: number, length: number): number;
}

let found: Calls | undefined | "unknown" = "unknown";

/**
 * Has the kernel begin to send written bytes to the disk or server, so that the sync at the end finds little left to
 * do. A hint: where it is not to be had (another libc, a file system that does not know it) the sync does it all, and
 * that is also who tells what failed.
 */
export function startWriteback(fd: number, offset: number, length: number): void {
  calls()?.sync_file_range(fd, offset, length, beginToWrite);
}

/** Whether {@link reserveSpace} is worth a call in a file system of this type, as statfs(2) tells it. */
export function reservesQuickly(fileSystemType: number): boolean {
  return reservingTypes.includes(fileSystemType);
}

/**
 * Has the file system find room for so many bytes at once, in one piece, in place of a little with each write. A hint,
 * too: a file system without room says so to the write that finds none.
 */
export function reserveSpace(fd: number, sizeBytes: number): void {
  calls()?.fallocate(fd, keepSize, 0, sizeBytes);
}

function calls(): Calls | undefined {
  if (found === "unknown") found = findCalls();
  return found;
}

function findCalls(): Calls | undefined {
  try {
    return dlopen("libc.so.6", {
      sync_file_range: { args: ["i32", "i64", "i64", "u32"], returns: "i32" },
      fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
    }).symbols;
  } catch {
    return undefined;
  }
}
