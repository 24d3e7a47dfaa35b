import { AppError } from "../../common/errors.ts";
import type { ArchiveLayout } from "../../common/mp4/archive-file.ts";
import type { SequentialFile } from "../../common/mp4/sequential-reader.ts";
import { type BlockHash, InlineHash } from "./block-hash.ts";
import type { HashThread } from "./hash-thread.ts";

const blockBytes = 1024 * 1024;
const slots = 10;
/** Of the slots, read into at the same time. */
const reads = 2;
/** A block stays as it is until the call of `next` that comes so many after the one that gave it. */
const blocksKept = 2;
/** The memory that a segment passes through. */
export const passBytes = slots * blockBytes;

/**
 * Of the kernels that livecam runs on, the largest page (Raspberry Pi OS on a Pi 5). Writes end where pages do, so that
 * none is written to again while it is on its way to a server: when the server is restarted in that moment, Linux's
 * CIFS client (seen with 6.1) loses what came second, and says that all is well.
 */
export const pageBytes = 16 * 1024;

/**
 * A segment on its way to the archive: the fragments are read in order, into memory that is used over and over, and the
 * archive file is hashed. Both begin at once, whether anybody takes a block yet or not, and go on as far ahead of
 * whoever does as there is memory.
 */
export class HashedSource implements AsyncDisposable {
  /** The first bytes of the archive file. */
  readonly head: readonly Uint8Array[];
  readonly #source: SequentialFile;
  readonly #hash: BlockHash;
  readonly #end: number;
  readonly #blocks: Promise<Uint8Array>[] = [];
  /** When the read that was begun last may have its slot: they begin in order. */
  #mayRead: Promise<unknown> = Promise.resolve();
  #startedAt: number;
  /** Of the next block; the first one is shorter, so that it ends with a page of the archive file. */
  #nextBytes: number;
  #started = 0;
  #taken = 0;
  #isOver = false;

  private constructor(source: SequentialFile, layout: ArchiveLayout, head: Uint8Array[], hash: BlockHash) {
    this.head = head;
    this.#source = source;
    this.#hash = hash;
    this.#startedAt = layout.initBytes.length;
    this.#end = this.#startedAt + layout.fragmentsSizeBytes;
    this.#nextBytes = blockBytes - (layout.fragmentsOffset % pageBytes);
    this.#readAhead();
  }

  /** Without a thread that has {@link passBytes} of memory, this one hashes. Waits until the thread is free. */
  static async open(
    source: SequentialFile,
    layout: ArchiveLayout,
    hashThread?: HashThread,
  ): Promise<HashedSource> {
    const head = [layout.front, layout.initBytes, layout.sidx];
    const hash = (await hashThread?.open(head)) ?? new InlineHash(head, new Uint8Array(passBytes));
    return new HashedSource(source, layout, head, hash);
  }

  /** Resolves when as much is read as there is memory for; what fails is told by `next`. */
  async filled(): Promise<void> {
    await this.#blocks.at(-1)?.catch(() => undefined);
  }

  /** Undefined at the end. Throws `io`, `corrupt_file` when the file is shorter than it should be, and as hashes do. */
  async next(): Promise<Uint8Array | undefined> {
    this.#taken++;
    this.#readAhead();
    return await this.#blocks.shift();
  }

  /** Of the whole archive file, after its last block. */
  digest(): Promise<string> {
    return this.#hash.digest();
  }

  /** When nothing reads any more. To be called as soon as nobody needs the blocks, since the next file may wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#blocks);
    this.#hash[Symbol.dispose]();
  }

  #readAhead(): void {
    while (this.#startedAt < this.#end && this.#started < this.#taken + slots - blocksKept) {
      const block = this.#readBlock(this.#blocks.at(-reads), this.#blocks.at(-1));
      // Its rejection is told where it is awaited, which may be later than it happens.
      block.catch(() => undefined);
      this.#blocks.push(block);
    }
  }

  /** `early`: not before that one is read; `before`: the one that is hashed before it. */
  async #readBlock(
    early: Promise<unknown> | undefined,
    before: Promise<unknown> | undefined,
  ): Promise<Uint8Array> {
    const offset = this.#startedAt;
    const length = Math.min(this.#nextBytes, this.#end - offset);
    this.#nextBytes = blockBytes;
    const slotStart = (this.#started++ % slots) * blockBytes;
    this.#startedAt += length;
    // Then none of the blocks that were given to the hash is in this slot any more.
    const isFree = () => this.#hash.untilLeft(slots - reads - 1);
    this.#mayRead = Promise.all([this.#mayRead, early]).then(isFree);
    await this.#mayRead;
    if (this.#isOver) throw new AppError("cancelled", "nobody needs the segment any more");
    const block = this.#hash.memory.subarray(slotStart, slotStart + length);
    const size = await this.#source.readInto(block, offset);
    if (size < length) {
      throw new AppError("corrupt_file", `the segment ends at byte ${offset + size}`, {
        details: { side: "spool" },
      });
    }
    await before;
    this.#hash.update(block);
    return block;
  }
}
