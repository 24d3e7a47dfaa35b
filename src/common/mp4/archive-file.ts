import type { SegmentIdentity } from "../segment-identity.ts";
import type { InitSegment } from "./init-segment.ts";
import type { SegmentIndex } from "./segment-index.ts";

/** The file is `front` + `initBytes` + `sidx` + the fragments as recorded. */
export interface ArchiveLayout {
  /** `ftyp`, `uuid`, `moov` and the header of `mdat`. */
  front: Uint8Array;
  initBytes: Uint8Array;
  sidx: Uint8Array;
  initOffset: number;
  sidxOffset: number;
  fragmentsOffset: number;
  fragmentsSizeBytes: number;
  /** Of the whole file. */
  totalSizeBytes: number;
}

/** Throws `corrupt_file` for an index without video. */
export function planArchiveFile(_input: { index: SegmentIndex; identity: SegmentIdentity }): ArchiveLayout {
  throw new Error("not implemented");
}

/** One fragment (or a few, when there are more than 65,535) that a player can fetch by byte range. */
export interface FragmentRange {
  /** From the start of the file. */
  offset: number;
  sizeBytes: number;
  /** Earliest presentation time on the time line of the run, in ticks of `ArchivedFile.timescale`. */
  startTicks: number;
  durationTicks: number;
  startsWithKeyframe: boolean;
}

export interface ArchivedFile {
  identity: SegmentIdentity;
  sizeBytes: number;
  initOffset: number;
  initSizeBytes: number;
  init: InitSegment;
  /** Ticks per second of the fragments' times. */
  timescale: number;
  fragments: readonly FragmentRange[];
}

/**
 * Reads identity, init segment and `sidx` in two or three small reads, however large the file. Throws `not_found`,
 * `io`, and `corrupt_file` for everything that is not a whole archive file.
 */
export function readArchiveFile(_path: string): Promise<ArchivedFile> {
  return Promise.reject(new Error("not implemented"));
}
