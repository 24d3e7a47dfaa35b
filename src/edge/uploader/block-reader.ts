import { AppError } from "../../common/errors.ts";
import type { SequentialFile } from "../../common/mp4/sequential-reader.ts";

const blockBytes = 1024 * 1024;
/** Being read while one is used. */
const ahead = 2;
const slots = 6;
/** What a reader reads into. */
export const readerBytes = slots * blockBytes;
/** A block stays as it is until the call of `next` that comes so many after the one that gave it. */
export const blocksKept = slots - ahead;

/**
 * Of the kernels that livecam runs on, the largest page (Raspberry Pi OS on a Pi 5). Writes end where pages do, so that
 * none is written to again while it is on its way to a server: when the server is restarted in that moment, Linux's
 * CIFS client (seen with 6.1) loses what came second, and says that all is well.
 */
export const pageBytes = 16 * 1024;

/** Reads a part of a file in order, some blocks ahead of the one in use, into memory that is used over and over. */
export class BlockReader implements AsyncDisposable {
  readonly #source: SequentialFile;
  readonly #end: number;
  readonly #memory: Uint8Array;
  readonly #reads: Promise<Uint8Array>[] = [];
  #startedAt: number;
  #turn = 0;
  #nextBytes: number;

  /**
   * From byte `start` to byte `end`, into {@link readerBytes} of memory. The first block is shorter, so that it ends with
   * a page where `headBytes` are written before it.
   */
  constructor(
    source: SequentialFile,
    { start, end, headBytes, memory }: { start: number; end: number; headBytes: number; memory: Uint8Array },
  ) {
    this.#source = source;
    this.#memory = memory;
    this.#startedAt = start;
    this.#end = end;
    this.#nextBytes = blockBytes - (headBytes % pageBytes);
    for (let i = 0; i < ahead; i++) this.#startRead();
  }

  /** Undefined at the end. Throws `io`, and `corrupt_file` when the file is shorter than it should be. */
  async next(): Promise<Uint8Array | undefined> {
    const block = await this.#reads.shift();
    if (block) this.#startRead();
    return block;
  }

  /** When nothing reads any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#reads);
  }

  #startRead(): void {
    const offset = this.#startedAt;
    if (offset >= this.#end) return;
    const slotStart = (this.#turn++ % slots) * blockBytes;
    const slot = this.#memory.subarray(slotStart, slotStart + Math.min(this.#nextBytes, this.#end - offset));
    this.#nextBytes = blockBytes;
    this.#startedAt += slot.length;
    const read = this.#source.readInto(slot, offset).then((size) => {
      if (size === slot.length) return slot;
      throw new AppError("corrupt_file", `the segment ends at byte ${offset + size}`, {
        details: { side: "spool" },
      });
    });
    // Its rejection is told where it is awaited, which may be later than it happens.
    read.catch(() => undefined);
    this.#reads.push(read);
  }
}
