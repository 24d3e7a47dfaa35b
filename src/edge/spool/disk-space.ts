import { statfs } from "node:fs/promises";
import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";

/** How old an answer of the file system may be: nobody else fills a gigabyte in ten seconds. */
const maxAgeMs = 1000;
const maxAgeOfPlentyMs = 10_000;
const plentyBytes = 1_000_000_000;

/**
 * The last bytes of a disk, which footage may not take: without them a full spool could never be emptied, because
 * what says that a segment is archived would find no room. 64 MB are the records of 16,000 segments.
 */
export function bookkeepingBytesOf(totalBytes: number): number {
  return Math.min(64_000_000, Math.floor(totalBytes * 0.02));
}

/** Says whether there is room for footage; asks the file system at most once a second, less often where there is plenty. */
export class DiskSpace {
  readonly #path: string;
  readonly #clock: Clock;
  /** For footage, as of `#askedMs`, less what was given out since. */
  #roomBytes = 0;
  #maxAgeMs = maxAgeMs;
  #askedMs = Number.NEGATIVE_INFINITY;

  readonly #isStopped: () => boolean;

  /** `isStopped`: footage is to leave the disk to others. */
  constructor(path: string, clock: Clock, isStopped: () => boolean = () => false) {
    this.#path = path;
    this.#clock = clock;
    this.#isStopped = isStopped;
  }

  /** Throws `io` with `ENOSPC` when `bytes` more would not leave what bookkeeping needs. */
  async take(bytes: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#askedMs >= this.#maxAgeMs) {
      const { blocks, bavail, bsize } = await statfs(this.#path);
      this.#roomBytes = bavail * bsize - bookkeepingBytesOf(blocks * bsize);
      this.#maxAgeMs = this.#roomBytes >= plentyBytes ? maxAgeOfPlentyMs : maxAgeMs;
      this.#askedMs = nowMs;
    }
    if (bytes > this.#roomBytes || this.#isStopped()) {
      // Whoever comes next may find that room was made.
      this.#askedMs = Number.NEGATIVE_INFINITY;
      throw new AppError("io", "the disk of the spool is full", { details: { errno: "ENOSPC" } });
    }
    this.#roomBytes -= bytes;
  }
}
