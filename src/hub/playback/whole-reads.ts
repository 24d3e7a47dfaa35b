import type { ReadableFile } from "../../common/mp4/archive-file.ts";

/** The front of a video of ten minutes, its init segment and its `sidx`, nearly always. */
const headBytes = 192 * 1024;

/** Bytes [start, end) of a file, fewer at its end: opened, read and closed in one trip through the pool of the runtime. */
export function readSlice(path: string, start: number, end: number): Promise<Uint8Array> {
  return Bun.file(path).slice(start, end).bytes();
}

/** A file of which mostly the beginning is wanted, in small pieces: they are read at once. */
export async function readHead(path: string, sizeBytes: number): Promise<ReadableFile> {
  const head = await readSlice(path, 0, Math.min(headBytes, sizeBytes));
  return {
    ...{ path, sizeBytes },
    async readAt(offset, length) {
      const end = Math.min(offset + length, sizeBytes);
      if (end <= offset) return new Uint8Array();
      return end <= head.length ? head.subarray(offset, end) : readSlice(path, offset, end);
    },
  };
}
