import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "../../../common/errors.ts";
import type { BorrowedBytes } from "../../http/whole-body.ts";

/** About what a part of an HLS playlist has, and as much as a network file system reads at once. */
export const windowBytes = 1024 * 1024;
/** One is filled while another is sent; the rest is for the way there and back. */
const windowCount = 4;

/** What a worker read of a file. */
export interface Filled extends BorrowedBytes {
  /** Tells the file from another one under the same path. */
  readonly tag: string;
}

/**
 * Memory that a worker fills and the hub sends from, in windows of {@link windowBytes}. Through a socket each byte would
 * be copied twice more, once into memory that is new for each request. One worker alone has it: one that was given up in
 * the middle of a read may still write when the archive answers again.
 */
export class SharedMemory {
  readonly #bytes: Uint8Array;
  readonly #free = Array.from({ length: windowCount }, (_, window) => window);
  readonly #queue: PromiseWithResolvers<number>[] = [];
  /** Not taken yet, the oldest first. */
  readonly #filled = new Set<FilledWindow>();
  #reason: Error | undefined;

  /** The worker finds it at `path`, until that is disposed of. */
  static create(): Disposable & { memory: SharedMemory; path: string } {
    const fd = createUnnamedFile(windowCount * windowBytes);
    const path = `/proc/${process.pid}/fd/${fd}`;
    try {
      const memory = new SharedMemory(openSharedMemory(path));
      return { memory, path, [Symbol.dispose]: () => closeSync(fd) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A window to be filled, for {@link filled} or {@link giveBack} afterwards. */
  async reserve(): Promise<number> {
    if (this.#reason !== undefined) throw this.#reason;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const next = Promise.withResolvers<number>();
    this.#queue.push(next);
    this.#reclaimSoon();
    return next.promise;
  }

  filled(window: number, length: number, tag: string): Filled {
    const bytes = windowOf(this.#bytes, window).subarray(0, length);
    const filled = new FilledWindow(bytes, tag, () => {
      this.#filled.delete(filled);
      this.giveBack(window);
    });
    this.#filled.add(filled);
    if (this.#queue.length > 0) this.#reclaimSoon();
    return filled;
  }

  giveBack(window: number): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free.push(window);
    else next.resolve(window);
  }

  /** Nothing is filled any more; what was can still be taken. */
  end(reason: Error): void {
    this.#reason = reason;
    for (const next of this.#queue.splice(0)) next.reject(reason);
  }

  /** What is to be sent is taken at once. The rest may be for clients that have left, and would never be taken. */
  #reclaimSoon(): void {
    setImmediate(() => {
      for (const filled of this.#filled) {
        if (this.#queue.length === 0) return;
        filled.keep();
      }
    });
  }
}

class FilledWindow implements Filled {
  #bytes: Uint8Array;
  #release: (() => void) | undefined;

  constructor(
    bytes: Uint8Array,
    readonly tag: string,
    release: () => void,
  ) {
    this.#bytes = bytes;
    this.#release = release;
  }

  get length(): number {
    return this.#bytes.length;
  }

  take(): Uint8Array {
    this.#release?.();
    this.#release = undefined;
    return this.#bytes;
  }

  /** Makes room for another request. */
  keep(): void {
    this.#bytes = this.#bytes.slice();
    this.take();
  }
}

/** Both ends use it. Throws `unavailable`. */
export function openSharedMemory(path: string): Uint8Array {
  try {
    return Bun.mmap(path, { shared: true });
  } catch (cause) {
    throw new AppError("unavailable", "cannot share memory with a media worker", { cause });
  }
}

export function windowOf(memory: Uint8Array, window: number): Uint8Array {
  return memory.subarray(window * windowBytes, (window + 1) * windowBytes);
}

/** In memory where there is such a folder. Without a name nothing of it stays, however we end. */
function createUnnamedFile(sizeBytes: number): number {
  let cause: unknown;
  for (const folder of ["/dev/shm", tmpdir()]) {
    let fd: number | undefined;
    try {
      const path = join(folder, `livecam-memory-${crypto.randomUUID()}`);
      fd = openSync(path, "wx+", 0o600);
      unlinkSync(path);
      // What finds no room in the middle of a use ends the program.
      const zeros = new Uint8Array(sizeBytes);
      for (let written = 0; written < sizeBytes; ) {
        written += writeSync(fd, zeros, written, sizeBytes - written, written);
      }
      return fd;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      cause = error;
    }
  }
  throw new AppError("unavailable", "there is no room for what a media worker reads", { cause });
}
