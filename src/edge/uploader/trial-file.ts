import { open, readFile, rm } from "node:fs/promises";
import { syncDirectory } from "../../common/atomic-file.ts";
import { AppError } from "../../common/errors.ts";
import type { ArchiveRoot } from "./archive-root.ts";
import { publishFile } from "./publish-file.ts";
import type { SmbArchive } from "./smb-archive.ts";

const trialBytes = 64 * 1024;

/** Does to a small file what is done to every segment, every sync included, and removes it. Throws what fails. */
export async function tryWritingTo(root: ArchiveRoot): Promise<void> {
  const { partial, final } = trialNames();
  const [partialPath, finalPath] = [root.resolve(partial), root.resolve(final)];
  const content = crypto.getRandomValues(new Uint8Array(trialBytes));
  try {
    const file = await open(partialPath, "wx", 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if ((await publishFile(partialPath, finalPath)) === "taken") throw changed();
    await syncDirectory(root.resolve("."));
    if (Buffer.compare(content, await readFile(finalPath)) !== 0) throw changed();
  } finally {
    for (const path of [partialPath, finalPath]) await rm(path, { force: true });
  }
}

/** The same in a share that is not mounted. */
export async function tryWritingToShare(archive: SmbArchive): Promise<void> {
  const { session } = archive;
  const { partial, final } = trialNames();
  try {
    {
      await using target = await archive.startUpload(partial);
      await target.write(new Uint8Array(trialBytes), 0, trialBytes);
      await target.sync();
    }
    if ((await session.rename(partial, final)) === "taken") throw changed();
    if ((await session.sizeOf(final)) !== trialBytes) throw changed();
  } finally {
    for (const path of [partial, final]) await session.remove(path);
  }
}

/** In the root, beside the folders of the cameras: there a new camera's folder is made. */
function trialNames(): { partial: string; final: string } {
  const name = `livecam-trial-${crypto.randomUUID()}`;
  return { partial: `${name}.partial`, final: `${name}.tmp` };
}

function changed(): AppError {
  return new AppError("io", "the archive gave back something else than was written to it");
}
