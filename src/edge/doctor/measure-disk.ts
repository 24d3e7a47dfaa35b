import { access, open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../../common/clock.ts";
import { describeError, errnoOf } from "../../common/errors.ts";

const chunkBytes = 512 * 1024;
const testBytes = 8 * 1024 * 1024;
/** A disk slower than that is slow enough to know. */
const testMs = 3000;
/** Nothing is written to a disk with less room. */
const spareBytes = 256 * 1024 * 1024;

export interface DiskMeasurement {
  /** Where it was measured: the spool, or while there is none the folder it will be made in. */
  path: string;
  totalBytes: number;
  freeBytes: number;
  /** Written and synced in pieces, as a recording is; undefined when there was no room to try, or it failed. */
  bytesPerSecond: number | undefined;
  /** Why it could not be written to. */
  error: string | undefined;
}

/** Writes a few megabytes to the disk of the spool and removes them. Rejects only when the disk cannot be looked at. */
export async function measureDisk(spoolPath: string, clock: Clock): Promise<DiskMeasurement> {
  const path = await existingFolder(spoolPath);
  const { blocks, bavail, bsize } = await statfs(path);
  const disk = { path, totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  if (disk.freeBytes < spareBytes) return { ...disk, bytesPerSecond: undefined, error: undefined };
  try {
    return { ...disk, bytesPerSecond: await writeSpeed(path, clock), error: undefined };
  } catch (error) {
    return { ...disk, bytesPerSecond: undefined, error: describeError(error) };
  }
}

/** Nothing is made here: a spool made by root could not be written to by the user that the edge runs as. */
async function existingFolder(path: string): Promise<string> {
  try {
    await access(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    return existingFolder(dirname(path));
  }
  return (await stat(path)).isDirectory() ? path : existingFolder(dirname(path));
}

async function writeSpeed(folder: string, clock: Clock): Promise<number> {
  const path = join(folder, `livecam-doctor-${crypto.randomUUID()}.tmp`);
  const chunk = crypto.getRandomValues(new Uint8Array(65_536));
  const startedMs = clock.monotonicMs();
  const elapsedMs = () => clock.monotonicMs() - startedMs;
  let written = 0;
  const file = await open(path, "wx", 0o600);
  try {
    while (written < testBytes && elapsedMs() < testMs) {
      for (let inChunk = 0; inChunk < chunkBytes; inChunk += chunk.length) await file.writeFile(chunk);
      await file.datasync();
      written += chunkBytes;
    }
    return (written * 1000) / Math.max(1, elapsedMs());
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
