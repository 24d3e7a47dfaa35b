import { link, lstat, rename, unlink } from "node:fs/promises";
import { errnoOf } from "../../common/errors.ts";

/** File systems that have no hard links (SMB, exFAT, some FUSE) say so in these ways. */
const noHardLinks = new Set(["EPERM", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL", "EXDEV", "EMLINK"]);

/** The two calls whose answers file systems differ in; tests stand in for those we have not. */
export interface Calls {
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

/**
 * Moves `partial` to `final` in the same folder without replacing anything: by a hard link, which refuses a taken
 * name, and where there are none by looking before the rename. An error of the network may hide a success, so after
 * one we look whether it happened. Answers `taken` when another file has the name.
 */
export async function publishFile(
  partial: string,
  final: string,
  calls: Calls = { link, rename },
): Promise<"published" | "taken"> {
  const ours = await lstat(partial);
  const isOurs = async () => {
    const found = await lstat(final).catch(undefinedWhenMissing);
    return found && found.ino === ours.ino && found.dev === ours.dev && found.size === ours.size;
  };
  try {
    await calls.link(partial, final);
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    if (noHardLinks.has(errno)) return renameWhenFree(partial, final, isOurs, calls);
    if (!(await isOurs())) {
      if (errno === "EEXIST") return "taken";
      throw error;
    }
  }
  await unlink(partial).catch(undefinedWhenMissing);
  return "published";
}

async function renameWhenFree(
  partial: string,
  final: string,
  isOurs: () => Promise<boolean | undefined>,
  calls: Calls,
): Promise<"published" | "taken"> {
  if (await lstat(final).catch(undefinedWhenMissing)) return "taken";
  try {
    await calls.rename(partial, final);
  } catch (error) {
    if (!(await isOurs())) throw error;
  }
  return "published";
}

function undefinedWhenMissing(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
}
