import { systemClock } from "../../common/clock.ts";
import { rethrowAs } from "./pass-error.ts";

/** What the file is written to; a `FileHandle` is one. Each write starts where the one before ended. */
export interface ArchiveTarget {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  /** How long the file will be, where it helps to know. */
  reserve?(sizeBytes: number): void;
  /** Begins to make written bytes durable and returns at once, where the technology can do that. */
  startWriteback?(offset: number, length: number): void;
  /** What is written so far becomes durable, where the technology can do that before the end. */
  datasync(): Promise<void>;
  /** Called once, at the end. */
  sync(): Promise<void>;
}

/** After so much the kernel is asked to begin sending, or it would begin when it is asked to be done. */
const writebackBytes = 8 * 1024 * 1024;
/**
 * So much is handed to the destination before it is asked to make it durable, beside the next blocks: progress is
 * then real progress. On a slow NAS it becomes less, so that no sync takes too long.
 */
const firstSyncBytes = 2 * 1024 * 1024;
const minSyncBytes = 1024 * 1024;
const maxSyncBytes = 256 * 1024 * 1024;
const slowSyncMs = 4000;
const quickSyncMs = 1000;

export interface SyncedWriterOptions {
  target: ArchiveTarget;
  /** Where there is a limit, the kernel must not gather more than this: it sends all of it in one go. */
  bytesPerSecond: number | undefined;
  onWritten: (writtenBytes: number) => void;
}

/** Writes one block after the other, the caller at most one block ahead, and syncs now and then beside that. */
export class SyncedWriter {
  readonly #target: ArchiveTarget;
  readonly #maxSyncBytes: number;
  readonly #onWritten: (writtenBytes: number) => void;
  #position = 0;
  /** Up to where the kernel was asked to begin. */
  #startedBytes = 0;
  #unsyncedBytes = 0;
  #syncBytes: number;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  constructor({ target, bytesPerSecond, onWritten }: SyncedWriterOptions) {
    this.#target = target;
    this.#maxSyncBytes = Math.max(minSyncBytes, Math.min(maxSyncBytes, bytesPerSecond ?? maxSyncBytes));
    this.#onWritten = onWritten;
    this.#syncBytes = Math.min(firstSyncBytes, this.#maxSyncBytes);
  }

  /** Resolves when the block before is written; `bytes` must stay as they are until the next call has resolved. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#writing;
    this.#startWriteback();
    if (this.#unsyncedBytes >= this.#syncBytes) {
      await this.#syncing;
      this.#syncing = watched(this.#syncData());
      this.#unsyncedBytes = 0;
    }
    this.#writing = watched(this.#writeAll(bytes, this.#position));
    this.#position += bytes.length;
    this.#unsyncedBytes += bytes.length;
  }

  /** All is handed to the destination. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** All is durable. */
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

  #startWriteback(): void {
    const length = this.#position - this.#startedBytes;
    if (length < Math.min(writebackBytes, this.#maxSyncBytes)) return;
    this.#target.startWriteback?.(this.#startedBytes, length);
    this.#startedBytes = this.#position;
  }

  async #syncData(): Promise<void> {
    const startedMs = systemClock.monotonicMs();
    await this.#sync(() => this.#target.datasync());
    const tookMs = systemClock.monotonicMs() - startedMs;
    if (tookMs > slowSyncMs) this.#syncBytes = Math.max(minSyncBytes, this.#syncBytes / 2);
    if (tookMs < quickSyncMs) this.#syncBytes = Math.min(this.#maxSyncBytes, this.#syncBytes * 4);
  }

  /** A failed sync is final: a second one says nothing about what the first has lost. */
  async #sync(sync: () => Promise<void>): Promise<void> {
    await sync().catch(rethrowAs("archive", "the archive did not make the file durable"));
  }
}

/** Its rejection is told where it is awaited, which may be later than it happens. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
