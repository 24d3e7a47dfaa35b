import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./errors.ts";

/**
 * Writes a small file so that after a power cut either the old or the new content is there, whole: temp file beside
 * it, fsync, rename, fsync of the directory. A failed fsync is final: the temp file is removed and the error thrown.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  return replaceFile(path, content, { temporary: `${path}.tmp-${process.pid}`, flags: "w", mode });
}

/**
 * {@link writeFileAtomic} into a folder that others may write to, too: the temp file, `….tmp-` and a name that nobody
 * can foresee, is ours and not one that a planted link leads to.
 */
export function writeSharedFileAtomic(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp-${crypto.randomUUID()}`;
  return replaceFile(path, content, { temporary, flags: "wx", mode: 0o644 });
}

async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { temporary, flags, mode }: { temporary: string; flags: string; mode: number },
): Promise<void> {
  try {
    const file = await open(temporary, flags, mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // A disk that refuses this as well must not hide why.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes renames and new names in a directory survive a power cut. Some network file systems refuse it: that is no error. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } catch (error) {
    if (!["EINVAL", "EBADF", "ENOTSUP", "EOPNOTSUPP"].includes(errnoOf(error) ?? "")) throw error;
  } finally {
    await directory.close();
  }
}
