import { type FileHandle, mkdir, open, readdir, stat, statfs, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { archivePathOf } from "../../common/archive-path.ts";
import { syncDirectory } from "../../common/atomic-file.ts";
import { errnoOf } from "../../common/errors.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { ArchiveRoot } from "./archive-root.ts";
import { dayFolderOf, isPartialOf, newPartialPath, takenPathsOf } from "./day-names.ts";
import { reserveSpace, reservesQuickly, startWriteback } from "./kernel-hints.ts";
import { publishFile } from "./publish-file.ts";
import type { ArchiveTarget } from "./synced-writer.ts";

export interface Partial {
  path: string;
  file: FileHandle;
  /** The file, to be written to. */
  target: ArchiveTarget;
}

const maxAttempts = 9999;

/** The folder of one camera's day in the archive, for one segment that is to be put there. */
export class DayFolder {
  readonly #root: ArchiveRoot;
  readonly #identity: SegmentIdentity;
  readonly #names: Set<string>;
  readonly #path: string;

  private constructor(root: ArchiveRoot, identity: SegmentIdentity, names: Set<string>) {
    this.#root = root;
    this.#identity = identity;
    this.#names = names;
    this.#path = dayFolderOf(identity);
  }

  /** Makes the folder where it is not there yet. */
  static async open(root: ArchiveRoot, identity: SegmentIdentity): Promise<DayFolder> {
    const folder = dayFolderOf(identity);
    for (const path of [dirname(folder), folder]) await makeDurableFolder(root, path);
    return new DayFolder(root, identity, new Set(await readdir(root.resolve(folder))));
  }

  /** What has a name that this segment could have, relative to the root. */
  get takenPaths(): string[] {
    return takenPathsOf(this.#identity, this.#names);
  }

  /** Removes what dead uploads of this very segment left. */
  async removeStalePartials(): Promise<void> {
    for (const name of this.#names) {
      if (!isPartialOf(this.#identity, name)) continue;
      await unlinkIfThere(this.#root.resolve(`${this.#path}/${name}`));
    }
  }

  /** A new empty file. */
  async createPartial(): Promise<Partial> {
    const { type } = await statfs(this.#root.resolve(this.#path));
    const path = this.#root.resolve(newPartialPath(this.#identity));
    const file = await open(path, "wx", 0o644);
    const target: ArchiveTarget = {
      write: (bytes, offset, length, position) => file.write(bytes, offset, length, position),
      ...(reservesQuickly(type) && { reserve: (sizeBytes) => reserveSpace(file.fd, sizeBytes) }),
      startWriteback: (offset, length) => startWriteback(file.fd, offset, length),
      datasync: () => file.datasync(),
      sync: () => file.sync(),
    };
    return { path, file, target };
  }

  async removePartial({ path, file }: Partial): Promise<void> {
    await file.close().catch(() => undefined);
    await unlinkIfThere(path);
  }

  /**
   * Gives a synced and closed partial the first free name, without ever replacing a file, and makes that durable.
   * Returns the path relative to the root.
   */
  async publish(partial: Partial): Promise<string> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const path = archivePathOf(this.#identity, attempt);
      if (this.#names.has(basename(path))) continue;
      if ((await publishFile(partial.path, this.#root.resolve(path))) === "taken") continue;
      await syncDirectory(this.#root.resolve(this.#path));
      return path;
    }
    throw new Error(`${maxAttempts} names are taken in ${this.#path}`);
  }

  async sizeOf(path: string): Promise<number> {
    return (await stat(path)).size;
  }
}

async function makeDurableFolder(root: ArchiveRoot, path: string): Promise<void> {
  try {
    await mkdir(root.resolve(path));
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  await syncDirectory(root.resolve(dirname(path)));
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
