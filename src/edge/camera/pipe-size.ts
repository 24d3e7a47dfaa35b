import { dlopen } from "bun:ffi";

/** fcntl(2), the same on every architecture of Linux. */
const setPipeSize = 1031;

/**
 * Lets a pipe hold so many bytes, where the system allows it (`/proc/sys/fs/pipe-max-size`, 1 MiB, and the pages of
 * all pipes of a user). Returns whether it does; one that does not works, in smaller pieces.
 */
export function growPipe(fileDescriptor: number, sizeBytes: number): boolean {
  try {
    const libc = dlopen("libc.so.6", { fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
    try {
      return libc.symbols.fcntl(fileDescriptor, setPipeSize, sizeBytes) >= sizeBytes;
    } finally {
      libc.close();
    }
  } catch {
    // Another C library, or a system that forbids it: then it stays as it is.
    return false;
  }
}
