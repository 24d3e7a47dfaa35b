import { type Entry, fromFdPromise, type ZipFile } from "yauzl";
import { AppError } from "../../common/errors.ts";
import { RegularFile } from "../../common/mp4/regular-file.ts";
import type { SequentialFile } from "../../common/mp4/sequential-reader.ts";
import { zipOf } from "./zip-format.ts";

export interface ZipEntry {
  name: string;
  sizeBytes: number;
  /** Where its bytes start in the ZIP; they are stored as they are. */
  offset: number;
  modifiedAt: Date;
}

const blockBytes = 512 * 1024;

/** A ZIP that livecam made: entries that are stored, and nothing between them that it would not have written. */
export class StoredZip implements AsyncDisposable {
  private constructor(
    readonly file: RegularFile,
    readonly entries: readonly ZipEntry[],
  ) {}

  /** Throws `corrupt_file` for what is no ZIP, or not one of stored entries; `not_found`, `io`. */
  static async open(path: string): Promise<StoredZip> {
    const file = await RegularFile.open(path);
    try {
      const zip = await fromFdPromise(file.handle.fd, { autoClose: false, lazyEntries: true });
      const entries: ZipEntry[] = [];
      for await (const entry of zip.eachEntry()) entries.push(await placeOf(zip, entry));
      return new StoredZip(file, entries);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      if (error instanceof AppError) throw error;
      throw new AppError("corrupt_file", "this is no whole ZIP", { cause: error });
    }
  }

  /** An entry as a file of its own. */
  fileOf(entry: ZipEntry): SequentialFile & AsyncDisposable {
    return {
      path: entry.name,
      sizeBytes: entry.sizeBytes,
      readInto: (target, offset) => {
        const length = Math.max(0, Math.min(target.length, entry.sizeBytes - offset));
        return this.file.readInto(target.subarray(0, length), entry.offset + offset);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async textOf(entry: ZipEntry, maxBytes: number): Promise<string> {
    if (entry.sizeBytes > maxBytes) throw new AppError("corrupt_file", `${entry.name} is too large`);
    const bytes = await this.file.readAt(entry.offset, entry.sizeBytes);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  }

  /**
   * Whether everything around the entries' bytes (headers, checksums, directory) is, bit for bit, what is written for
   * these entries; answers the first byte that is not. Reads the whole file.
   */
  async firstForeignByte(onProgress?: (bytesDone: number) => void): Promise<number | undefined> {
    const { file, entries } = this;
    // Content goes through untouched, so what comes out and was not put in is what a ZIP has around it.
    const content = new WeakSet<Uint8Array>();
    async function* blocksOf({ offset, sizeBytes }: ZipEntry) {
      for (let at = 0; at < sizeBytes; at += blockBytes) {
        const block = await file.readAt(offset + at, Math.min(blockBytes, sizeBytes - at));
        content.add(block);
        yield block;
      }
    }
    async function* files() {
      for (const entry of entries) {
        const { name, modifiedAt } = entry;
        yield { name, modifiedAt, input: blocksOf(entry) };
      }
    }
    let at = 0;
    for await (const chunk of zipOf(files())) {
      if (!content.has(chunk)) {
        const found = await file.readAt(at, chunk.length);
        const differs = chunk.findIndex((byte, i) => byte !== found[i]);
        if (differs !== -1) return at + differs;
      }
      at += chunk.length;
      onProgress?.(at);
    }
    return at === file.sizeBytes ? undefined : at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file[Symbol.asyncDispose]();
  }
}

async function placeOf(zip: ZipFile, entry: Entry): Promise<ZipEntry> {
  const name = entry.fileName;
  if (entry.compressionMethod !== 0 || entry.compressedSize !== entry.uncompressedSize) {
    throw new AppError("corrupt_file", `${name} is compressed, which livecam never does`);
  }
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry);
  return {
    name,
    sizeBytes: entry.uncompressedSize,
    offset: fileDataStart,
    modifiedAt: entry.getLastModDate(),
  };
}
