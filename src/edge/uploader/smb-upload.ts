import { type Child, startChild } from "../../common/child-process.ts";
import { sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { smbOperationError, smbStatusOf } from "./smb-answer.ts";
import type { ArchiveTarget } from "./synced-writer.ts";

/** What the server gets to close a file that is not wanted any more. */
const closeMs = 2000;

/**
 * One file on its way to a share: an `smbclient` whose stdin is the content. It takes its commands as an argument,
 * never from stdin, where it would take video for commands.
 */
export class SmbUpload implements ArchiveTarget, AsyncDisposable {
  readonly #child: Child;
  readonly #lines: string[] = [];
  #ended = false;

  private constructor(argv: readonly string[]) {
    this.#child = startChild({
      argv,
      stdin: "pipe",
      stdout: "pipe",
      onStderrLine: (line) => this.#lines.push(line),
    });
  }

  /**
   * `argv` first reads the archive's identity to stdout and then puts stdin. Not a byte of the file is given to it
   * before the identity turned out to be `identity`. Throws `unavailable` for another archive, `io`.
   */
  static async start(argv: readonly string[], identity: Uint8Array): Promise<SmbUpload> {
    const upload = new SmbUpload(argv);
    try {
      const found = await upload.#readIdentity(identity.length);
      if (found === undefined) throw await upload.#failure();
      if (Buffer.compare(found, identity) === 0) return upload;
      throw new AppError("unavailable", "another archive took the place of the one that was there just now", {
        details: { side: "archive" },
      });
    } catch (error) {
      await upload[Symbol.asyncDispose]();
      throw error;
    }
  }

  async write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }> {
    const written = Promise.resolve(this.#child.stdin?.write(bytes.subarray(offset, offset + length))).then(
      () => "written" as const,
      () => "refused" as const,
    );
    const outcome = await Promise.race([written, this.#child.exited.then(() => "refused" as const)]);
    if (outcome === "refused") throw await this.#failure();
    return { bytesWritten: length };
  }

  /** There is nothing between the start and the end that SMB could be asked through `smbclient`. */
  async datasync(): Promise<void> {}

  /**
   * The server has every byte and the file is closed. `smbclient` cannot ask for more; whether it is on the server's
   * disk then is the server's setting (`sync always` of Samba).
   */
  async sync(): Promise<void> {
    await this.#endInput();
    const { exitCode } = await this.#child.exited;
    if (exitCode !== 0 || smbStatusOf(this.#lines) !== undefined) throw await this.#failure();
  }

  /** Lets the server close the file, so that it can be removed; what takes too long is ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([this.#endInput(), this.#child.exited]);
    await Promise.race([this.#child.exited, sleep(closeMs)]);
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #endInput(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.resolve(this.#child.stdin?.end()).catch(() => undefined);
  }

  async #readIdentity(sizeBytes: number): Promise<Uint8Array | undefined> {
    const reader = this.#child.stdout.getReader();
    const chunks: Uint8Array[] = [];
    let size = 0;
    while (size < sizeBytes) {
      const { value } = await reader.read();
      if (value === undefined) return undefined;
      chunks.push(value);
      size += value.length;
    }
    return Buffer.concat(chunks);
  }

  async #failure(): Promise<AppError> {
    await this[Symbol.asyncDispose]();
    return smbOperationError("cannot write to the archive", this.#lines);
  }
}
