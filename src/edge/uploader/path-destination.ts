import { statfs } from "node:fs/promises";
import { AppError, describeError, errnoOf } from "../../common/errors.ts";
import { readArchiveFile } from "../../common/mp4/archive-file.ts";
import { RegularFile } from "../../common/mp4/regular-file.ts";
import type { SequentialReaderOptions } from "../../common/mp4/sequential-reader.ts";
import { verifyArchiveFile } from "../../common/mp4/verify-file.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";
import { runArchivePass } from "./archive-pass.ts";
import { ArchiveRoot } from "./archive-root.ts";
import { DayFolder } from "./day-folder.ts";
import { HashThread } from "./hash-thread.ts";
import { HashedSource, passBytes } from "./hashed-source.ts";
import { type KnownFile, knownFileOf } from "./known-file.ts";
import { proofOf } from "./segment-proof.ts";
import { planFromSource } from "./source-plan.ts";
import { tryWritingTo } from "./trial-file.ts";

/** Less is hashed before another thread has begun. */
const hashThreadFromBytes = 4 * 1024 * 1024;

/** An archive that is a folder of this machine: a mounted share, or a disk. Its calls may hang as the mount does. */
export class PathDestination implements ArchiveDestination {
  readonly #path: string;
  #hashThread: HashThread | undefined;
  #publishing: Promise<unknown> = Promise.resolve();

  constructor(options: { path: string }) {
    this.#path = options.path;
  }

  async check(): Promise<ConnectionCheck> {
    try {
      return await this.look();
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  /** As {@link check}, where it is reached. Throws `unavailable`, or what the file system said. */
  async look(): Promise<ConnectionCheck & { ok: true }> {
    await using root = await ArchiveRoot.open(this.#path, undefined);
    const { bavail, bsize, blocks } = await statfs(root.resolve("."));
    return { ok: true, archiveId: root.archiveId, freeBytes: blocks > 0 ? bavail * bsize : undefined };
  }

  async tryWriting(expectedArchiveId: string | undefined): Promise<void> {
    await using root = await ArchiveRoot.open(this.#path, expectedArchiveId);
    await tryWritingTo(root).catch((error: unknown) => {
      throw asArchiveError(error);
    });
  }

  async put(request: PutRequest, options: PutOptions = {}): Promise<PutResult> {
    const { identity, sourcePath, expectedArchiveId } = request;
    await using root = await ArchiveRoot.open(this.#path, expectedArchiveId);
    await using source = await RegularFile.open(sourcePath);
    const hashThread = this.#hashThreadFor(source.sizeBytes);
    const layout = await planFromSource(request, source);
    const { archiveId } = root;
    // Reads and hashes already while the folder is looked at, which keeps this thread busy at first.
    await using hashed = await HashedSource.open(source, layout, hashThread);
    await hashed.filled();
    try {
      const folder = await DayFolder.open(root, identity);
      const known = await findInArchive(root, folder, request, { ...options, prefixBytes: source.sizeBytes });
      await folder.removeStalePartials();
      if (known) return { archiveId, ...known, alreadyThere: true };

      const partial = await folder.createPartial();
      try {
        const { target } = partial;
        const pass = { source: hashed, layout, proof: proofOf(request), target, ...options };
        const { fileSha256 } = await runArchivePass(pass);
        await partial.file.close();
        const sizeBytes = await folder.sizeOf(partial.path);
        if (sizeBytes !== layout.totalSizeBytes) {
          throw new AppError("io", `the archive kept ${sizeBytes} of ${layout.totalSizeBytes} bytes`, {
            details: { side: "archive" },
          });
        }
        options.signal?.throwIfAborted();
        const filePath = await this.#publish(() => folder.publish(partial));
        return { archiveId, filePath, fileSizeBytes: sizeBytes, fileSha256, alreadyThere: false };
      } catch (error) {
        // What cannot be removed now is removed by the next try; the error that is told is the first one.
        await folder.removePartial(partial).catch(() => undefined);
        throw error;
      }
    } catch (error) {
      throw asArchiveError(error);
    }
  }

  /** Started, so that it is there when the segment's index is. */
  #hashThreadFor(sizeBytes: number): HashThread | undefined {
    if (sizeBytes < hashThreadFromBytes) return undefined;
    this.#hashThread ??= new HashThread(passBytes);
    this.#hashThread.start();
    return this.#hashThread;
  }

  /** Without hard links, looking for a free name and taking it are two steps: two puts must not both find the same. */
  #publish(publish: () => Promise<string>): Promise<string> {
    const published = this.#publishing.then(publish);
    this.#publishing = published.catch(() => undefined);
    return published;
  }
}

/**
 * This very segment, whole, from an upload whose end nobody saw. A file with its id that is not whole is left alone:
 * the segment then gets another name.
 */
async function findInArchive(
  root: ArchiveRoot,
  folder: DayFolder,
  { identity }: PutRequest,
  options: SequentialReaderOptions,
): Promise<KnownFile | undefined> {
  for (const filePath of folder.takenPaths) {
    const path = root.resolve(filePath);
    if (!(await hasVideoId(path, identity.videoId))) continue;
    const known = knownFileOf(await verifyArchiveFile(path, options), filePath, identity);
    if (known) return known;
  }
  return undefined;
}

async function hasVideoId(path: string, videoId: string): Promise<boolean> {
  try {
    return (await readArchiveFile(path)).identity.videoId === videoId;
  } catch (error) {
    if (error instanceof AppError && error.code !== "io") return false;
    throw error;
  }
}

function asArchiveError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new AppError("cancelled", "the upload was cancelled");
  }
  return new AppError("io", "the archive refused", {
    cause: error,
    details: { side: "archive", errno: errnoOf(error) },
  });
}
