import { type FileHandle, mkdir, open, readdir, stat, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { archivePathOf, parseArchivePath } from "../../common/archive-path.ts";
import { syncDirectory } from "../../common/atomic-file.ts";
import { errnoOf } from "../../common/errors.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { ArchiveRoot } from "./archive-root.ts";
import { publishFile } from "./publish-file.ts";

export interface Partial {
  path: string;
  file: FileHandle;
}

/** Names are `.<final name>.<video id>.<try>.partial`, so no reader takes one for a video. */
const partialPattern = /^\..+\.([0-9a-f-]{36})\.[0-9a-f]{8}\.partial$/;
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
    this.#path = dirname(archivePathOf(identity));
  }

  /** Makes the folder where it is not there yet. */
  static async open(root: ArchiveRoot, identity: SegmentIdentity): Promise<DayFolder> {
    const folder = dirname(archivePathOf(identity));
    for (const path of [dirname(folder), folder]) await makeDurableFolder(root, path);
    return new DayFolder(root, identity, new Set(await readdir(root.resolve(folder))));
  }

  /** What has a name that this segment could have, relative to the root. */
  get takenPaths(): string[] {
    const stem = basename(archivePathOf(this.#identity), ".mp4");
    return [...this.#names]
      .filter((name) => name === `${stem}.mp4` || name.startsWith(`${stem}-`))
      .map((name) => `${this.#path}/${name}`)
      .filter((path) => parseArchivePath(path) !== undefined);
  }

  /** Removes what dead uploads of this very segment left. */
  async removeStalePartials(): Promise<void> {
    for (const name of this.#names) {
      if (partialPattern.exec(name)?.[1] !== this.#identity.videoId) continue;
      await unlinkIfThere(this.#root.resolve(`${this.#path}/${name}`));
    }
  }

  /**
   * A new empty file. Each try has its own name: a rename that an abandoned upload still has on its way must not
   * find the file of the next one.
   */
  async createPartial(): Promise<Partial> {
    const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
    const final = basename(archivePathOf(this.#identity));
    const path = this.#root.resolve(`${this.#path}/.${final}.${this.#identity.videoId}.${nonce}.partial`);
    return { path, file: await open(path, "wx", 0o644) };
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
