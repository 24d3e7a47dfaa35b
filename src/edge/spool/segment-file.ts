import { type FileHandle, open } from "node:fs/promises";
import type { Clock } from "../../common/clock.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { SpoolChecksum } from "../spool-checksum.ts";

export interface SegmentFileOptions {
  clock: Clock;
  /** Longest time that appended bytes stay unsynced while more arrive; 0 syncs every append before it resolves. */
  syncIntervalMs: number;
  /** Syncs what else the first sync has to make durable: the record and the names of both. */
  syncNames: () => Promise<void>;
}

/**
 * The growing file of one segment: whole appends only, hashed as they are written, synced about every
 * `syncIntervalMs`. An append that fails leaves the file as it was before it, and the file takes no more.
 */
export class SegmentFile {
  readonly #file: FileHandle;
  readonly #options: SegmentFileOptions;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  readonly #checksum = new SpoolChecksum();
  #sizeBytes = 0;
  /** Something past `#sizeBytes` may be in the file. */
  #torn = false;
  #failure: AppError | undefined;
  #lastSyncMs: number;
  #namesSynced = false;
  #syncing: Promise<void> | undefined;

  private constructor(file: FileHandle, options: SegmentFileOptions) {
    this.#file = file;
    this.#options = options;
    this.#lastSyncMs = options.clock.monotonicMs();
  }

  /** Creates the file, which must not exist. */
  static async create(path: string, options: SegmentFileOptions): Promise<SegmentFile> {
    return new SegmentFile(await open(path, "wx", 0o640), options);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Rejects with `io`, the errno in its details. */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await this.#writeAll(bytes);
    } catch (cause) {
      this.#torn = true;
      throw this.#fail("cannot write to the spool", cause);
    }
    this.#hasher.update(bytes);
    this.#checksum.update(bytes);
    this.#sizeBytes += bytes.byteLength;
    await this.#syncWhenDue();
  }

  /** What was appended, once and for all. */
  seal(): { sizeBytes: number; recordedSha256: string; spoolChecksum: string } {
    this.#failure ??= new AppError("internal", "append to a sealed segment");
    return {
      sizeBytes: this.#sizeBytes,
      recordedSha256: this.#hasher.digest("hex"),
      spoolChecksum: this.#checksum.digest(),
    };
  }

  /** Makes what was appended durable, nothing more and nothing less. Rejects with `io`; the file is closed either way. */
  async finish(): Promise<void> {
    try {
      await this.#syncing;
      if (this.#torn) await this.#file.truncate(this.#sizeBytes);
      await this.#file.sync();
    } catch (cause) {
      throw ioError("cannot sync the spool", cause);
    } finally {
      await this.#file.close();
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const left = bytes.byteLength - done;
      const { bytesWritten } = await this.#file.write(bytes, done, left, this.#sizeBytes + done);
      done += bytesWritten;
    }
  }

  /**
   * The sync runs beside the next appends, so that a slow disk does not hold back the camera; only when the next
   * one is due while it still runs does an append wait, since more would be at risk than was promised.
   */
  async #syncWhenDue(): Promise<void> {
    const { clock, syncIntervalMs } = this.#options;
    if (clock.monotonicMs() - this.#lastSyncMs < syncIntervalMs) return;
    await this.#syncing;
    if (this.#failure) throw this.#failure;
    this.#lastSyncMs = clock.monotonicMs();
    this.#syncing = this.#sync();
    if (syncIntervalMs > 0) return;
    await this.#syncing;
    if (this.#failure) throw this.#failure;
  }

  /** Never rejects; what fails is told by the next append. */
  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
      if (!this.#namesSynced) await this.#options.syncNames();
      this.#namesSynced = true;
    } catch (cause) {
      this.#fail("cannot sync the spool", cause);
    }
  }

  #fail(message: string, cause: unknown): AppError {
    this.#failure = ioError(message, cause);
    return this.#failure;
  }
}

function ioError(message: string, cause: unknown): AppError {
  return new AppError("io", message, { cause, details: { errno: errnoOf(cause) } });
}
