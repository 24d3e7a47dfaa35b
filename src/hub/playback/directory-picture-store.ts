import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type PictureKind, pictureKinds, picturePathOf } from "../../common/archive-path.ts";
import { writeSharedFileAtomic } from "../../common/atomic-file.ts";
import { AppError, errnoOf } from "../../common/errors.ts";
import { isJpeg } from "./jpeg.ts";
import type { PictureStore } from "./picture-store.ts";

const maxBytes: Record<PictureKind, number> = { thumbnail: 1024 * 1024, previews: 8 * 1024 * 1024 };
/** No write takes nearly as long: it was left by a crash. */
const leftoverMs = 3_600_000;

/** Pictures under `metadata/thumbnails` of an archive on a local disk. */
export function createDirectoryPictureStore(root: string): PictureStore {
  /** False where a link or anything else was put in place of a folder. */
  async function isInOrdinaryFolders(path: string): Promise<boolean> {
    for (const folder of foldersOf(path)) {
      if (!(await lstat(join(root, folder))).isDirectory()) return false;
    }
    return true;
  }

  return {
    async read(kind, videoPath) {
      const path = picturePathOf(kind, videoPath);
      try {
        if (!(await isInOrdinaryFolders(path))) return undefined;
        const file = await open(
          join(root, path),
          constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
        );
        try {
          const stats = await file.stat();
          if (!stats.isFile() || stats.size > maxBytes[kind]) return undefined;
          const bytes = await file.readFile();
          return isJpeg(bytes) ? bytes : undefined;
        } finally {
          await file.close();
        }
      } catch (error) {
        // ELOOP: a link was put in its place. Whatever it is, a new one can be made.
        if (isNothingThere(error)) return undefined;
        throw new AppError("io", `cannot read the picture ${path}`, { cause: error });
      }
    },

    async has(kind, videoPath) {
      const path = picturePathOf(kind, videoPath);
      try {
        return (await lstat(join(root, path))).isFile();
      } catch (error) {
        if (isNothingThere(error)) return false;
        throw new AppError("io", `cannot look for the picture ${path}`, { cause: error });
      }
    },

    async write(kind, videoPath, jpeg) {
      const path = picturePathOf(kind, videoPath);
      try {
        // The archive's own folder `metadata` must be there: pictures are never written into an empty mount point.
        for (const folder of foldersOf(path)) await makeFolder(join(root, folder), folder !== "metadata");
        await writeSharedFileAtomic(join(root, path), jpeg);
        await removeLeftovers(join(root, path));
      } catch (error) {
        const code = ["EROFS", "EACCES", "EPERM", "ENOENT"].includes(errnoOf(error) ?? "")
          ? "unavailable"
          : "io";
        throw new AppError(code, `cannot keep the picture ${path}`, { cause: error });
      }
    },

    async remove(videoPath) {
      for (const kind of pictureKinds) {
        const path = picturePathOf(kind, videoPath);
        try {
          if (await isInOrdinaryFolders(path)) await rm(join(root, path), { force: true });
        } catch (error) {
          if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") continue;
          throw new AppError("io", `cannot remove the picture ${path}`, { cause: error });
        }
      }
    },
  };
}

function isNothingThere(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM"].includes(errnoOf(error) ?? "");
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

/** What crashes left beside a picture just written, by whose time the age is told: the server's clock is another one. */
async function removeLeftovers(written: string): Promise<void> {
  const folder = dirname(written);
  const names = (await readdir(folder)).filter((name) => name.includes(".jpg.tmp-"));
  if (names.length === 0) return;
  const { mtimeMs: nowMs } = await lstat(written);
  for (const name of names) {
    const path = join(folder, name);
    const isOld = await lstat(path).then(
      ({ mtimeMs }) => nowMs - mtimeMs > leftoverMs,
      () => false,
    );
    if (isOld) await rm(path, { force: true });
  }
}
