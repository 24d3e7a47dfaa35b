import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { join } from "node:path";
import { parseArchiveIdentity, readIdentityText } from "../../common/archive-identity.ts";
import { archiveIdentityPath, parseArchivePath } from "../../common/archive-path.ts";
import { type Clock, systemClock } from "../../common/clock.ts";
import { AppError, errnoOf, errorCodeOf } from "../../common/errors.ts";
import { readWholeArchiveFile } from "../../common/mp4/archive-file.ts";
import { RegularFile } from "../../common/mp4/regular-file.ts";
import { salvageArchiveFile } from "../../common/mp4/salvage-file.ts";
import type { ByteRange } from "../http/range.ts";
import type { KeptDescriptors } from "./kept-descriptors.ts";
import type { MediaSource } from "./media-source.ts";
import { readHead, readSlice } from "./whole-reads.ts";

const folderMemoryMs = 1_000;
const maxFolders = 256;

export interface DirectoryMediaSourceOptions {
  root: string;
  archiveId?: () => string | undefined;
  clock?: Pick<Clock, "monotonicMs">;
  descriptors?: KeptDescriptors;
}

export interface DirectoryMediaSource extends MediaSource {
  /**
   * Fills `target` from `offset` of the file on, holding up the whole process: for one that has nothing else to do.
   * Returns a tag that tells the file from another one under the same path. Throws as `readRange` does.
   */
  readNow(filePath: string, target: Uint8Array, offset: number): Promise<string>;
}

/**
 * The archive as a folder of a local disk. It runs in the main process, so that Bun sends file bodies with
 * `sendfile`; an archive that may hang is read this way by other processes, see workers/.
 *
 * `archiveId` is the archive that the catalog belongs to, once known: another one under the same path is
 * `unavailable`.
 */
export function createDirectoryMediaSource(options: DirectoryMediaSourceOptions): DirectoryMediaSource {
  const { root, clock = systemClock, descriptors } = options;

  /** Folders that were ordinary ones a moment ago, until when; a link put in their place is found that much later. */
  const ordinaryFolders = new Map<string, number>();

  function checkFolders(filePath: string): void {
    const folder = filePath.slice(0, filePath.lastIndexOf("/"));
    const nowMs = clock.monotonicMs();
    if ((ordinaryFolders.get(folder) ?? 0) > nowMs) return;
    if (!parseArchivePath(filePath)) throw new AppError("internal", `not a path of a video: ${filePath}`);
    const camera = folder.slice(0, folder.indexOf("/"));
    if (!lstatSync(join(root, camera)).isDirectory() || !lstatSync(join(root, folder)).isDirectory()) {
      throw new AppError("corrupt_file", `${filePath} does not lie in ordinary folders`);
    }
    if (ordinaryFolders.size >= maxFolders) ordinaryFolders.clear();
    ordinaryFolders.set(folder, nowMs + folderMemoryMs);
  }

  /**
   * Synchronous, as Bun's own open of the file is: a look at a cached inode costs a tenth of a trip through the thread
   * pool, and next to no time passes until the file is opened.
   */
  async function regularFile(filePath: string): Promise<Stats> {
    try {
      checkFolders(filePath);
      const stats = lstatSync(`${root}/${filePath}`);
      if (!stats.isFile()) throw new AppError("corrupt_file", `${filePath} is not an ordinary file`);
      descriptors?.check(`${root}/${filePath}`, stats);
      return stats;
    } catch (error) {
      throw await asMediaError(error, filePath);
    }
  }

  /** `ENOENT` means a lost video only if this is the right archive; else the disk is not mounted. */
  async function asMediaError(error: unknown, filePath: string): Promise<AppError> {
    // Something else was put in its place since we looked.
    if (errorCodeOf(error) === "invalid_input") {
      return new AppError("corrupt_file", `${filePath} is not an ordinary file`, { cause: error });
    }
    if (error instanceof AppError && error.code !== "not_found") return error;
    const isGone = error instanceof AppError || /^ENO(?:ENT|TDIR)$/.test(errnoOf(error) ?? "");
    if (!isGone) return new AppError("io", `cannot read ${filePath} in the archive`, { cause: error });
    try {
      const identity = parseArchiveIdentity((await readIdentityText(join(root, archiveIdentityPath))) ?? "");
      const expected = options.archiveId?.();
      if (expected !== undefined && identity.archive_id !== expected) {
        return new AppError("unavailable", "another archive is mounted in place of this hub's");
      }
    } catch (cause) {
      return new AppError("unavailable", "the archive cannot be reached", { cause });
    }
    return new AppError("not_found", `${filePath} is not in the archive`, { cause: error });
  }

  return {
    sizeOf: async (filePath) => (await regularFile(filePath)).size,

    // Not join(): it costs as much as the rest of this line, with every request.
    body: async (filePath, range) => Bun.file(`${root}/${filePath}`).slice(range.start, range.end),

    keptFile(filePath, request, isOver) {
      const fd = descriptors?.take(`${root}/${filePath}`, request, isOver);
      return fd === undefined ? undefined : Bun.file(fd);
    },

    async readRange(filePath, range) {
      await regularFile(filePath);
      try {
        return await readExactly(join(root, filePath), range);
      } catch (error) {
        throw await asMediaError(error, filePath);
      }
    },

    async readNow(filePath, target, offset) {
      await regularFile(filePath);
      try {
        return readNow(`${root}/${filePath}`, target, offset);
      } catch (error) {
        throw await asMediaError(error, filePath);
      }
    },

    async open(filePath) {
      await regularFile(filePath);
      try {
        const file = await RegularFile.open(join(root, filePath));
        return {
          async readInto(target, offset) {
            if ((await file.readInto(target, offset)) === target.length) return;
            throw new AppError("corrupt_file", `${filePath} ends before byte ${offset + target.length}`);
          },
          [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
        };
      } catch (error) {
        throw await asMediaError(error, filePath);
      }
    },

    async readIndex(filePath) {
      const { size } = await regularFile(filePath);
      try {
        return await readWholeArchiveFile(await readHead(join(root, filePath), size));
      } catch (error) {
        throw await asMediaError(error, filePath);
      }
    },

    async salvageIndex(filePath) {
      await regularFile(filePath);
      try {
        return await salvageArchiveFile(join(root, filePath));
      } catch (error) {
        throw await asMediaError(error, filePath);
      }
    },
  };
}

async function readExactly(path: string, range: ByteRange): Promise<Uint8Array> {
  const bytes = await readSlice(path, range.start, range.end);
  if (bytes.length < range.end - range.start) {
    throw new AppError("corrupt_file", `${path} ends before byte ${range.end}`);
  }
  return bytes;
}

function readNow(path: string, target: Uint8Array, offset: number): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new AppError("corrupt_file", `${path} is not an ordinary file`);
    for (let filled = 0; filled < target.length; ) {
      const count = readSync(fd, target, filled, target.length - filled, offset + filled);
      if (count === 0) {
        throw new AppError("corrupt_file", `${path} ends before byte ${offset + target.length}`);
      }
      filled += count;
    }
    // Network file systems keep the number of a file as long as it lives.
    return `${stats.ino}-${stats.size}-${stats.mtimeMs}`;
  } finally {
    closeSync(fd);
  }
}
