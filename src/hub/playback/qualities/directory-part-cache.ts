import { createHash } from "node:crypto";
import { constants, type Dirent, lstatSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, statfs, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../../common/clock.ts";
import { errnoOf } from "../../../common/errors.ts";
import { errorFields, type Logger } from "../../../common/log.ts";
import type { PartCache } from "./part-cache.ts";

const suffix = ".part";
const temporarySuffix = ".part.tmp";
const namePattern = /^[a-z0-9_-]{1,120}$/;
const hashBytes = 32;
/** More is no part of ours. */
const maxPartBytes = 128 * 1024 * 1024;
/** What the catalog, on the same disk, is left with. */
const defaultMinFreeBytes = 512 * 1024 * 1024;

export interface DirectoryPartCacheOptions {
  folder: string;
  maxBytes: number;
  minFreeBytes?: number;
  clock: Pick<Clock, "wallMs">;
  logger: Logger;
}

/**
 * Parts as files of one folder, each behind the SHA-256 of itself: what a crash or a person made of them is found when
 * they are read, and thrown away. Past `maxBytes` the ones not asked for for longest go first, which their times of
 * change tell over a restart. Files that are not its own it leaves alone and does not count.
 */
export async function openDirectoryPartCache(options: DirectoryPartCacheOptions): Promise<PartCache> {
  const cache = new DirectoryPartCache(options);
  await cache.load();
  return cache;
}

class DirectoryPartCache implements PartCache {
  readonly #options: DirectoryPartCacheOptions;
  /** Sizes of the files by name, the one not asked for for longest first. */
  readonly #known = new Map<string, number>();
  #sizeBytes = 0;
  #isKeeping = true;

  constructor(options: DirectoryPartCacheOptions) {
    this.#options = options;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async load(): Promise<void> {
    const { folder } = this.#options;
    try {
      const found: { name: string; sizeBytes: number; mtimeMs: number }[] = [];
      for (const entry of await this.#entries()) {
        const path = join(folder, entry.name);
        if (entry.name.endsWith(temporarySuffix)) await rm(path, { force: true });
        const name = entry.name.slice(0, -suffix.length);
        if (!entry.isFile() || !entry.name.endsWith(suffix) || !namePattern.test(name)) continue;
        const { size: sizeBytes, mtimeMs } = lstatSync(path);
        found.push({ name, sizeBytes, mtimeMs });
      }
      found.sort((a, b) => a.mtimeMs - b.mtimeMs);
      for (const { name, sizeBytes } of found) this.#remember(name, sizeBytes);
      await this.#makeRoom(0);
    } catch (error) {
      this.#tell(error);
    }
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    if (!this.#known.has(name)) return undefined;
    const path = this.#pathOf(name);
    try {
      const bytes = await readChecked(path);
      if (bytes === undefined) {
        await this.#remove(name);
        return undefined;
      }
      // It may have gone meanwhile, to make room.
      const known = this.#known.get(name);
      if (known !== undefined) this.#remember(name, known);
      const now = this.#options.clock.wallMs() / 1000;
      await utimes(path, now, now);
      return bytes;
    } catch (error) {
      this.#forget(name);
      // A link in its place, or a folder that is gone, is no trouble: it is made again.
      if (!["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) this.#tell(error);
      return undefined;
    }
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const sizeBytes = bytes.length + hashBytes;
    if (!namePattern.test(name) || sizeBytes > Math.min(this.#options.maxBytes, maxPartBytes)) return;
    try {
      await this.#makeRoom(sizeBytes);
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
      if (await this.#isFull(sizeBytes)) return;
      await replaceFile(this.#pathOf(name), bytes);
      this.#remember(name, sizeBytes);
      if (!this.#isKeeping) this.#options.logger.info("transcoded parts are kept again");
      this.#isKeeping = true;
    } catch (error) {
      this.#tell(error);
    }
  }

  async #entries(): Promise<Dirent[]> {
    try {
      return await readdir(this.#options.folder, { withFileTypes: true });
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  async #isFull(sizeBytes: number): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#options.folder);
    return bavail * bsize - sizeBytes < (this.#options.minFreeBytes ?? defaultMinFreeBytes);
  }

  async #makeRoom(sizeBytes: number): Promise<void> {
    for (const name of this.#known.keys()) {
      if (this.#sizeBytes + sizeBytes <= this.#options.maxBytes) return;
      await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    this.#forget(name);
    await rm(this.#pathOf(name), { force: true });
  }

  #remember(name: string, sizeBytes: number): void {
    this.#forget(name);
    this.#known.set(name, sizeBytes);
    this.#sizeBytes += sizeBytes;
  }

  #forget(name: string): void {
    this.#sizeBytes -= this.#known.get(name) ?? 0;
    this.#known.delete(name);
  }

  /** Said when it begins. */
  #tell(error: unknown): void {
    if (this.#isKeeping) this.#options.logger.warn("transcoded parts cannot be kept", errorFields(error));
    this.#isKeeping = false;
  }

  #pathOf(name: string): string {
    return join(this.#options.folder, name + suffix);
  }
}

/** Undefined for what does not hash to what stands in front of it. */
async function readChecked(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size <= hashBytes || stats.size > maxPartBytes) return undefined;
    const whole = await file.readFile();
    const bytes = whole.subarray(hashBytes);
    return hashOf(bytes).equals(whole.subarray(0, hashBytes)) ? bytes : undefined;
  } finally {
    await file.close();
  }
}

/** Not synced: what a power cut leaves of it does not hash. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path.slice(0, -suffix.length)}.${crypto.randomUUID()}${temporarySuffix}`;
  try {
    await writeFile(temporary, Buffer.concat([hashOf(bytes), bytes]), { flag: "wx", mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
