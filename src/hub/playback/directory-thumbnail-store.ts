import { constants } from "node:fs";
import { lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { thumbnailPathOf } from "../../common/archive-path.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { isJpeg } from "./thumbnail.ts";
import type { ThumbnailStore } from "./thumbnail-store.ts";

const maxThumbnailBytes = 1024 * 1024;

/** Thumbnails under `metadata/thumbnails` of an archive on a local disk. */
export function createDirectoryThumbnailStore(root: string): ThumbnailStore {
  return {
    async read(videoPath) {
      const path = thumbnailPathOf(videoPath);
      try {
        for (const folder of foldersOf(path)) {
          if (!(await lstat(join(root, folder))).isDirectory()) return undefined;
        }
        const file = await open(
          join(root, path),
          constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
        );
        try {
          const stats = await file.stat();
          if (!stats.isFile() || stats.size > maxThumbnailBytes) return undefined;
          const bytes = await file.readFile();
          return isJpeg(bytes) ? bytes : undefined;
        } finally {
          await file.close();
        }
      } catch (error) {
        // ELOOP: a link was put in its place. Whatever it is, a new one can be made.
        if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM"].includes(errnoOf(error) ?? ""))
          return undefined;
        throw new AppError("io", `cannot read the thumbnail ${path}`, { cause: error });
      }
    },

    async write(videoPath, jpeg) {
      const path = thumbnailPathOf(videoPath);
      try {
        // The archive's own folder `metadata` must be there: thumbnails are never written into an empty mount point.
        for (const folder of foldersOf(path)) await makeFolder(join(root, folder), folder !== "metadata");
        await replaceFile(join(root, path), jpeg);
      } catch (error) {
        const code = ["EROFS", "EACCES", "EPERM", "ENOENT"].includes(errnoOf(error) ?? "")
          ? "unavailable"
          : "io";
        throw new AppError(code, `cannot keep the thumbnail ${path}`, { cause: error });
      }
    },
  };
}

/** `metadata`, `metadata/thumbnails`, … down to the folder of the file. */
function foldersOf(path: string): string[] {
  const parts = dirname(path).split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** One level only, so that no link planted on the way is followed. */
async function makeFolder(path: string, mayCreate: boolean): Promise<void> {
  try {
    if (mayCreate) await mkdir(path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  if (!(await lstat(path)).isDirectory()) throw new AppError("io", `${path} is not a folder`);
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  // Exclusive and under a name nobody can foresee: the file is ours, not one that a planted link leads to.
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o644);
  try {
    try {
      await file.writeFile(bytes);
      // Without it a power cut leaves an empty file under the final name.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
