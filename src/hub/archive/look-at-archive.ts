import { constants } from "node:fs";
import { access, mkdir, readdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type ArchiveIdentityJson,
  parseArchiveIdentity,
  readIdentityText,
} from "../../common/archive-identity.ts";
import { archiveIdentityPath } from "../../common/archive-path.ts";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { errnoOf } from "../../common/errors.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { ArchiveFinding, NewArchive } from "./archive-probe.ts";

/** What file systems and NAS software put into an empty folder by themselves. */
const notOurs = /^(?:\.|@|#|lost\+found$|System Volume Information$|\$RECYCLE\.BIN$)/;

/** The look itself. It may hang on a hung NAS, so it runs in a process of its own: `livecam-hub archive-probe`. */
export async function lookAtArchive(root: string, create: NewArchive | undefined): Promise<ArchiveFinding> {
  let names: string[];
  try {
    names = await readdir(root);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return { found: "no_folder" };
    throw error;
  }
  const path = join(root, archiveIdentityPath);
  if (create !== undefined && names.every((name) => notOurs.test(name))) await writeIdentity(path, create);
  const text = await readIdentityText(path);
  if (text === undefined) {
    return { found: names.every((name) => notOurs.test(name)) ? "empty" : "no_identity" };
  }
  let archiveId: string;
  try {
    archiveId = parseArchiveIdentity(text).archive_id;
  } catch {
    return { found: "bad_identity" };
  }
  const { bavail, blocks, bsize } = await statfs(root);
  return {
    found: "archive",
    archiveId,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    writable: await isWritable(root),
  };
}

async function writeIdentity(path: string, { archiveId, createdAtMs }: NewArchive): Promise<void> {
  const identity: ArchiveIdentityJson = {
    archive_id: archiveId,
    created_at: formatWireTime(createdAtMs),
    format_version: 1,
  };
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, `${JSON.stringify(identity, null, 2)}\n`);
}

async function isWritable(root: string): Promise<boolean> {
  try {
    await access(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
