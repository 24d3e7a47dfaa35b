import { constants, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { AppError, describeError, errnoOf } from "../errors.ts";

/** A plain file that is open for reading at any place. */
export class RegularFile implements AsyncDisposable {
  private constructor(
    readonly path: string,
    /** When it was opened. */
    readonly sizeBytes: number,
    readonly handle: FileHandle,
    readonly blocking: boolean,
  ) {}

  /**
   * Throws `not_found`, `io`, and `invalid_input` for what is not a plain file. A FIFO or a device does not block:
   * it is opened without waiting and refused. With `blocking`, reads hold up the whole thread instead of taking the
   * way through the pool of the runtime: for a process with nothing else to do.
   */
  static async open(path: string, { blocking = false } = {}): Promise<RegularFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      // A socket cannot be opened at all.
      if (errnoOf(error) === "ENXIO") throw notPlain(path, error);
      const missing = errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR";
      throw new AppError(missing ? "not_found" : "io", `cannot open ${path}`, { cause: error });
    }
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw notPlain(path);
      return new RegularFile(path, stat.size, handle, blocking);
    } catch (error) {
      await handle.close();
      throw error instanceof AppError ? error : new AppError("io", `cannot read ${path}`, { cause: error });
    }
  }

  /** Up to `length` bytes from `offset`; fewer only at the end of the file. Throws `io`. */
  async readAt(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.sizeBytes - offset));
    const bytes = new Uint8Array(wanted);
    return bytes.subarray(0, await this.readInto(bytes, offset));
  }

  /** Fills `target` from `offset` on; returns the bytes read, fewer only at the end of the file. Throws `io`. */
  async readInto(target: Uint8Array, offset: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const bytesRead = await this.#read(target.subarray(filled), offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async #read(target: Uint8Array, offset: number): Promise<number> {
    const { handle, blocking, path } = this;
    try {
      if (blocking) return readSync(handle.fd, target, 0, target.length, offset);
      return (await handle.read(target, 0, target.length, offset)).bytesRead;
    } catch (cause) {
      throw new AppError("io", `cannot read ${path} at byte ${offset}: ${describeError(cause)}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }
}

function notPlain(path: string, cause?: unknown): AppError {
  return new AppError("invalid_input", `${path} is not a plain file`, { cause });
}
