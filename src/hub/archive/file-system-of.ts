import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../../common/errors.ts";
import { type MountEntry, parseMountInfo } from "../../common/mount-info.ts";

/** What is served by another machine or another process, and so may hang. */
const mayHang =
  /^(?:nfs4?|cifs|smb3|smbfs|9p|virtiofs|afs|ceph|glusterfs|lustre|beegfs|gpfs|ocfs2|gfs2|autofs|fuse|fuseblk|fuse\..+)$/;
/** As the kernel has it. */
const maxLinks = 40;

export interface FileSystem {
  /** `ext4`, `nfs4`, `fuse.bindfs` */
  type: string;
  mayHang: boolean;
}

/**
 * The file system on which a folder lies, also when it does not answer: the folder is walked down from `/`, and nothing
 * is looked at on a file system that may hang; the mount table itself never does.
 */
export function fileSystemOf(
  path: string,
  mounts: readonly MountEntry[] = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")),
): FileSystem {
  let current = "/";
  let links = 0;
  const rest = path.split("/");
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      current = dirname(current);
      continue;
    }
    const next = join(current, name);
    const mount = describe(mountOf(mounts, next));
    if (mount.mayHang) return mount;
    const target = linkAt(next);
    if (target === undefined || ++links > maxLinks) {
      current = next;
      continue;
    }
    rest.unshift(...target.split("/"));
    if (target.startsWith("/")) current = "/";
  }
  return describe(mountOf(mounts, current));
}

/** The entry with the longest folder around `path`; of several, the one on top. */
function mountOf(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  let found: MountEntry | undefined;
  for (const mount of mounts) {
    const isAround = mount.folder === "/" || path === mount.folder || path.startsWith(`${mount.folder}/`);
    if (isAround && mount.folder.length >= (found?.folder.length ?? 0)) found = mount;
  }
  return found;
}

function describe(mount: MountEntry | undefined): FileSystem {
  const type = mount?.type ?? "unknown";
  return { type, mayHang: mayHang.test(type) };
}

/** Where a symbolic link leads; undefined for everything else, and for what is not there (yet). */
function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
