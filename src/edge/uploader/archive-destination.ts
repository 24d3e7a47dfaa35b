import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { RateLimit } from "../rate-limit.ts";

/** A closed segment, to be archived. */
export interface LoadedSegment {
  /** Spool file: `ftyp moov (moof mdat)*`. */
  sourcePath: string;
  /** Where the segment's {@link SegmentTables} may lie; without them, they are made anew from the spool file. */
  tablesPath?: string | undefined;
  identity: SegmentIdentity;
  /** A {@link SpoolChecksum} of the file as it was recorded; without it `recordedSha256` has to be computed again. */
  spoolChecksum?: string | undefined;
}

/** One closed segment to bring to the archive. */
export interface PutRequest extends LoadedSegment {
  /** The archive that has to be behind the destination; undefined accepts any that has an identity file. */
  expectedArchiveId: string | undefined;
}

export interface PutResult {
  archiveId: string;
  /** Relative to the archive's root, as it was finally named. */
  filePath: string;
  fileSizeBytes: number;
  fileSha256: string;
  /** True when the archive had this very segment already, from an upload whose end we did not see. */
  alreadyThere: boolean;
  /**
   * Of the archived file, where it goes on behind the end of what was to be put: the spool was put back to an image of
   * when the segment was still being recorded.
   */
  identity?: SegmentIdentity;
}

export interface PutOptions {
  /** Bytes of the archive file written so far, and in all. */
  onProgress?: (writtenBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
  /** How fast the bytes may go out. */
  limit?: RateLimit | undefined;
}

/**
 * Where finished segments go. One contract, whatever the technology:
 * - Idempotent: putting the same segment again answers `alreadyThere` with the same path and hash; putting the beginning
 *   of one that is there answers with the whole of it.
 * - All or nothing: a file under its final name is complete, synced, and its payload is what was recorded, by the
 *   checksum taken meanwhile or by `recordedSha256`;
 *   anything else stays under a `.partial` name and is cleaned by the next put.
 * - Never overwrites: a name that another video has gets `-2`, `-3`.
 * - Checks the archive's identity before the first byte, so nothing is ever written under an empty mount point.
 * Errors: `unavailable` (not mounted, other archive, no identity file), `corrupt_file` (the spool file is not what was
 * recorded), `io` (with the errno in details), `cancelled`, `timeout`.
 */
export interface ArchiveDestination {
  put(request: PutRequest, options?: PutOptions): Promise<PutResult>;
  /** Whether the archive can be reached now, and which one it is. Never throws. */
  check(): Promise<ConnectionCheck>;
  /**
   * Writes, syncs, renames and removes a small file, as the doctor does. Throws as `put` does, and `unavailable` for
   * another archive than the one expected.
   */
  tryWriting?(expectedArchiveId: string | undefined): Promise<void>;
}

export type ConnectionCheck =
  | { ok: true; archiveId: string; freeBytes: number | undefined }
  | { ok: false; reason: string };
