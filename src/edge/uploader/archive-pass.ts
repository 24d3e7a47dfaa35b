import { systemClock } from "../../common/clock.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import type { ArchiveLayout } from "../../common/mp4/archive-file.ts";
import type { RegularFile } from "../../common/mp4/regular-file.ts";
import type { RateLimit } from "./rate-limit.ts";
import { InlineHash, ThreadHash } from "./stream-hash.ts";

const chunkBytes = 1024 * 1024;
/** One is read, one hashed, one written, and one of grace for the thread. */
const slots = 4;
/** Starting a thread takes some milliseconds: less is hashed sooner without. */
const threadFromBytes = 16 * 1024 * 1024;
/**
 * So much is handed to the destination before it is asked to make it durable, beside the next chunks. The last sync
 * is then short, and progress is real progress; on a slow NAS it becomes less, so that no sync takes too long.
 */
const firstSyncBytes = 16 * 1024 * 1024;
const minSyncBytes = 1024 * 1024;
const maxSyncBytes = 64 * 1024 * 1024;
const slowSyncMs = 4000;
const quickSyncMs = 1000;

/** What the file is written to; a `FileHandle` is one. Each write starts where the one before ended. */
export interface ArchiveTarget {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  /** What is written so far becomes durable, where the technology can do that before the end. */
  datasync(): Promise<void>;
  /** Called once, at the end. */
  sync(): Promise<void>;
}

export interface ArchivePass {
  /** Spool file: init segment and fragments. */
  source: RegularFile;
  layout: ArchiveLayout;
  /** New and empty. */
  target: ArchiveTarget;
  onProgress?: ((writtenBytes: number, totalBytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** How fast the bytes may go out; without one, as fast as they can. */
  limit?: RateLimit | undefined;
}

export interface ArchivePassResult {
  /** Of init segment and fragments, as read. */
  recordedSha256: string;
  /** Of the whole file, as written. */
  fileSha256: string;
}

/**
 * The one pass: every byte of the segment is read once, hashed twice and written once, in order. The next chunk is
 * read, and the one before is written, while a chunk is hashed; the second hash of a large segment has a core of its
 * own. The target is synced when it resolves.
 * Throws `io` with `details.side`, `corrupt_file` when the source is shorter than its layout, `cancelled`.
 */
export async function runArchivePass(pass: ArchivePass): Promise<ArchivePassResult> {
  const { source, layout, target, onProgress, signal, limit } = pass;
  const sink = new SyncedWriter({
    target: limit ? limitTarget(target, limit, signal) : target,
    // The kernel sends what it has gathered in one go: so much must not come together where there is a limit.
    maxSyncBytes: Math.max(minSyncBytes, Math.min(maxSyncBytes, limit?.bytesPerSecond ?? maxSyncBytes)),
    onWritten: (writtenBytes) => onProgress?.(writtenBytes, layout.totalSizeBytes),
  });
  const recorded = new Bun.CryptoHasher("sha256");
  using whole = layout.totalSizeBytes >= threadFromBytes ? new ThreadHash() : new InlineHash();
  const ring = new Uint8Array(new SharedArrayBuffer(slots * chunkBytes));
  /** Of the chunk in each slot. */
  const hashing: Promise<void>[] = [];
  try {
    recorded.update(layout.initBytes);
    for (const part of [layout.front, layout.initBytes, layout.sidx]) {
      hashing[0] = watched(whole.update(part));
      await sink.write(part);
      await hashing[0];
    }
    const sourceStart = layout.initBytes.length;
    const sourceEnd = sourceStart + layout.fragmentsSizeBytes;
    const chunkAt = (turn: number, offset: number) => {
      const start = (turn % slots) * chunkBytes;
      return ring.subarray(start, start + Math.min(chunkBytes, sourceEnd - offset));
    };
    let reading = watched(source.readInto(chunkAt(0, sourceStart), sourceStart));
    for (let turn = 0, offset = sourceStart; offset < sourceEnd; turn++) {
      const chunk = chunkAt(turn, offset);
      const size = await reading.catch(rethrowAs("spool", "cannot read the segment"));
      if (size < chunk.length)
        throw new AppError("corrupt_file", `the segment ends at byte ${offset + size}`);
      if (signal?.aborted) throw new AppError("cancelled", "the upload was cancelled");
      offset += size;
      if (offset < sourceEnd) {
        // Its slot was written long ago, since writes are one behind; the other core may be slower.
        await hashing[(turn + 1) % slots];
        reading = watched(source.readInto(chunkAt(turn + 1, offset), offset));
      }
      hashing[turn % slots] = watched(whole.update(chunk));
      await sink.write(chunk);
      recorded.update(chunk);
    }
    const fileSha256 = watched(whole.digest());
    await sink.finish();
    onProgress?.(layout.totalSizeBytes, layout.totalSizeBytes);
    return { recordedSha256: recorded.digest("hex"), fileSha256: await fileSha256 };
  } catch (error) {
    await sink.settle();
    throw error;
  }
}

/** Writes one chunk after the other, the caller at most one chunk ahead, and syncs now and then beside that. */
class SyncedWriter {
  readonly #target: ArchiveTarget;
  readonly #maxSyncBytes: number;
  readonly #onWritten: (writtenBytes: number) => void;
  #position = 0;
  #unsyncedBytes = 0;
  #syncBytes: number;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  constructor(options: {
    target: ArchiveTarget;
    maxSyncBytes: number;
    onWritten: (writtenBytes: number) => void;
  }) {
    this.#target = options.target;
    this.#maxSyncBytes = options.maxSyncBytes;
    this.#onWritten = options.onWritten;
    this.#syncBytes = Math.min(firstSyncBytes, options.maxSyncBytes);
  }

  /** Resolves when the chunk before is written; `bytes` must stay as they are until the next call has resolved. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#writing;
    if (this.#unsyncedBytes >= this.#syncBytes) {
      await this.#syncing;
      this.#syncing = watched(this.#syncData());
      this.#unsyncedBytes = 0;
    }
    this.#writing = watched(this.#writeAll(bytes, this.#position));
    this.#position += bytes.length;
    this.#unsyncedBytes += bytes.length;
  }

  async finish(): Promise<void> {
    await this.#writing;
    await this.#syncing;
    await this.#sync(() => this.#target.sync());
  }

  /** When nothing uses the file and the buffers any more. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
  }

  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#target
        .write(bytes, done, bytes.length - done, position + done)
        .catch(rethrowAs("archive", "cannot write to the archive"));
      done += bytesWritten;
      this.#onWritten(position + done);
    }
  }

  async #syncData(): Promise<void> {
    const startedMs = systemClock.monotonicMs();
    await this.#sync(() => this.#target.datasync());
    const tookMs = systemClock.monotonicMs() - startedMs;
    if (tookMs > slowSyncMs) this.#syncBytes = Math.max(minSyncBytes, this.#syncBytes / 2);
    if (tookMs < quickSyncMs) this.#syncBytes = Math.min(this.#maxSyncBytes, this.#syncBytes * 2);
  }

  /** A failed sync is final: a second one says nothing about what the first has lost. */
  async #sync(sync: () => Promise<void>): Promise<void> {
    await sync().catch(rethrowAs("archive", "the archive did not make the file durable"));
  }
}

/** Writes in steps of the limit; a write that is longer is answered as a short one. */
function limitTarget(target: ArchiveTarget, limit: RateLimit, signal?: AbortSignal): ArchiveTarget {
  return {
    async write(bytes, offset, length, position) {
      const stepBytes = Math.min(length, limit.stepBytes);
      await limit.take(stepBytes, signal);
      return target.write(bytes, offset, stepBytes, position);
    },
    datasync: () => target.datasync(),
    sync: () => target.sync(),
  };
}

/** Its rejection is told where it is awaited, which may be later than it happens. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function rethrowAs(side: "spool" | "archive", message: string): (cause: unknown) => never {
  return (cause) => {
    // A target that is no file of this machine says itself what happened.
    if (cause instanceof AppError && (cause.details.side === side || cause.code === "cancelled")) throw cause;
    const errno = errnoOf(cause) ?? (cause instanceof Error ? errnoOf(cause.cause) : undefined);
    throw new AppError("io", message, { cause, details: { side, errno } });
  };
}
