import { AppError } from "../../common/errors.ts";
import type { SequentialFile } from "../../common/mp4/sequential-reader.ts";

/** Small enough that a block is still in the core's own cache when it is hashed and written. */
const blockBytes = 512 * 1024;
/** One is used, one still being written, and two are being read. */
const slots = 4;
const ahead = 2;

/**
 * Reads a part of a file in order, two blocks ahead of the one in use, into memory that is used over and over: a
 * block stays as it is until the second call of `next` after the one that gave it.
 */
export class BlockReader implements AsyncDisposable {
  readonly #source: SequentialFile;
  readonly #end: number;
  readonly #ring = new Uint8Array(slots * blockBytes);
  readonly #reads: Promise<Uint8Array>[] = [];
  #startedAt: number;
  #turn = 0;

  /** From byte `start` to byte `end`. */
  constructor(source: SequentialFile, start: number, end: number) {
    this.#source = source;
    this.#startedAt = start;
    this.#end = end;
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
    const slot = this.#ring.subarray(slotStart, slotStart + Math.min(blockBytes, this.#end - offset));
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
