import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArchiveIdentity } from "../../common/archive-identity.ts";
import { archiveIdentityPath } from "../../common/archive-path.ts";
import { AppError, describeError, errnoOf } from "../../common/errors.ts";

/**
 * An archive whose identity was checked, held by a descriptor of its root. Everything goes through that descriptor,
 * so a mount that vanishes in between makes calls fail instead of leading them to the empty folder under it.
 */
export class ArchiveRoot implements AsyncDisposable {
  readonly #directory: FileHandle;

  private constructor(
    directory: FileHandle,
    readonly archiveId: string,
  ) {
    this.#directory = directory;
  }

  /** Throws `unavailable` when there is no archive, or another one than `expectedArchiveId`. */
  static async open(root: string, expectedArchiveId: string | undefined): Promise<ArchiveRoot> {
    let directory: FileHandle;
    try {
      directory = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (cause) {
      throw new AppError("unavailable", `the archive folder ${root} cannot be opened`, { cause });
    }
    try {
      const archiveId = await readIdentity(root, join(`/proc/self/fd/${directory.fd}`, archiveIdentityPath));
      if (expectedArchiveId !== undefined && archiveId !== expectedArchiveId) {
        throw new AppError(
          "unavailable",
          `another archive is mounted at ${root}: it is ${archiveId}, and the hub's is ${expectedArchiveId}`,
          { details: { reason: "other_archive" } },
        );
      }
      return new ArchiveRoot(directory, archiveId);
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  /** For file calls of this process, while this is open. */
  resolve(relativePath: string): string {
    return join(`/proc/self/fd/${this.#directory.fd}`, relativePath);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory.close();
  }
}

async function readIdentity(root: string, path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") {
      const reason = `no archive is mounted at ${root}: there is no ${archiveIdentityPath} in it`;
      throw new AppError("unavailable", reason);
    }
    throw new AppError("unavailable", `the identity of the archive at ${root} cannot be read`, { cause });
  }
  try {
    return parseArchiveIdentity(text).archive_id;
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `${archiveIdentityPath} at ${root} is damaged: ${describeError(cause)}`,
    );
  }
}
