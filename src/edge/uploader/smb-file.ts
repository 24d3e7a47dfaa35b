import { AppError } from "../../common/errors.ts";
import type { SequentialFile } from "../../common/mp4/sequential-reader.ts";
import type { SmbSession } from "./smb-session.ts";

/** A file of a share that is read once, from its first byte on, over a session of its own. */
export class SmbFile implements SequentialFile, AsyncDisposable {
  readonly #session: SmbSession;
  #offset = 0;

  constructor(
    readonly path: string,
    readonly sizeBytes: number,
    session: SmbSession,
  ) {
    this.#session = session;
    session.startReading(path);
  }

  async readInto(target: Uint8Array, offset: number): Promise<number> {
    if (offset !== this.#offset) throw new AppError("internal", `${this.path} can only be read in order`);
    const wanted = Math.min(target.length, this.sizeBytes - offset);
    const filled = await this.#session.readNext(target.subarray(0, wanted));
    this.#offset += filled;
    if (filled === wanted) return filled;
    throw new AppError(
      "io",
      `the share gave ${this.#offset} of the ${this.sizeBytes} bytes of ${this.path}`,
      {
        details: { side: "archive" },
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}
