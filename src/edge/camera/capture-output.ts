import { closeSync, readSync } from "node:fs";
import { errnoOf } from "../../common/errors.ts";
import { type KernelPipe, openKernelPipe } from "./kernel-pipe.ts";
import { growPipe } from "./pipe-size.ts";

/** Some seconds of video: a whole fragment waits here for one read, and the program that wrote it does not wait. */
const largestBytes = 1024 * 1024;
/** What a pipe holds by itself (pipe(7)). */
const usualBytes = 64 * 1024;

/**
 * What a capture writes, read when the reader thinks that something is there. A stream of the runtime would wake this
 * process for every piece of a fragment and allocate memory for it, which costs more than all the rest of recording.
 */
export class CaptureOutput {
  /** For the program; ours is closed once it has its own, so that its end is the end of the pipe. */
  readonly writeEnd: number;
  readonly #readEnd: number;
  #isWriteEndClosed = false;
  #isClosed = false;

  private constructor({ readEnd, writeEnd }: KernelPipe) {
    this.#readEnd = readEnd;
    this.writeEnd = writeEnd;
  }

  static async open(): Promise<CaptureOutput> {
    return new CaptureOutput(await openKernelPipe({ isPolled: true }));
  }

  /** Lets more wait here to be read; as much as is sensible unless told. */
  grow(sizeBytes = largestBytes): void {
    if (sizeBytes > usualBytes && !this.#isClosed) growPipe(this.#readEnd, Math.min(sizeBytes, largestBytes));
  }

  closeWriteEnd(): void {
    if (!this.#isWriteEndClosed) closeSync(this.writeEnd);
    this.#isWriteEndClosed = true;
  }

  /** Reads what is there into `target`; undefined when there is nothing now, 0 at the end. Never waits. */
  read(target: Uint8Array): number | undefined {
    if (this.#isClosed) return 0;
    try {
      return readSync(this.#readEnd, target, 0, target.length, null);
    } catch (error) {
      if (errnoOf(error) === "EAGAIN") return undefined;
      throw error;
    }
  }

  close(): void {
    this.closeWriteEnd();
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#readEnd);
  }
}
