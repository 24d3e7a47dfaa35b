import type { ArchivedFile } from "../../common/mp4/archive-file.ts";
import type { SalvagedFile } from "../../common/mp4/salvage-file.ts";
import type { ByteRange } from "../http/range.ts";

/** A file of the archive that is read on and on; it stays the one that was opened. */
export interface MediaFile extends AsyncDisposable {
  /** Fills all of `target` from `offset` of the file on; `corrupt_file` when the file ends before that. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
}

/**
 * Read access to the files of the archive, by their path relative to its root. A path comes from the catalog only,
 * never from a request. Adapters open nothing but regular files inside the root: symbolic links, pipes, devices and
 * folders planted there are `corrupt_file`.
 *
 * Errors of every method: `not_found` when the archive is there and the file is not, `unavailable` when the archive
 * itself cannot be reached (so that an unmounted disk is never taken for lost videos), `corrupt_file`, `io`.
 */
export interface MediaSource {
  /** Size in bytes of the file as it is now. */
  sizeOf(filePath: string): Promise<number>;
  /** The body of an answer. Call `sizeOf` first: an adapter may open the file only when the answer is sent. */
  body(filePath: string, range: ByteRange): Promise<Blob | ReadableStream<Uint8Array>>;
  /**
   * The whole file, where it is kept open for the answers to many requests; undefined where it is not. Call `sizeOf`
   * first. To be sent at offsets only, and not after `isOver(request)`.
   */
  keptFile?(filePath: string, request: Request, isOver: (request: Request) => boolean): Blob | undefined;
  /** The bytes themselves; `corrupt_file` when the file ends before the range does. */
  readRange(filePath: string, range: ByteRange): Promise<Uint8Array>;
  /** Where the init segment and the fragments are. */
  readIndex(filePath: string): Promise<ArchivedFile>;
  /** {@link readIndex} for a file that is damaged: what of it is whole. Looks at all of its fragments. */
  salvageIndex(filePath: string): Promise<SalvagedFile>;
  /** For reading much of a file in order. The caller closes it. */
  open(filePath: string): Promise<MediaFile>;
}
