import type { ParsedFragment } from "./fragment.ts";
import type { InitSegment } from "./init-segment.ts";

/**
 * The sample tables of one segment, built up fragment by fragment: about 13 bytes per sample. Offsets count from
 * the first fragment, so they hold for the spool file and for the archive file alike.
 */
export class SegmentIndex {
  constructor(readonly init: InitSegment) {}

  /**
   * Fragments in the order of the file. Throws `corrupt_file`, and changes nothing, when the fragment does not
   * continue what is there (decode time goes back).
   */
  addFragment(_fragment: ParsedFragment): void {
    throw new Error("not implemented");
  }

  get fragmentCount(): number {
    throw new Error("not implemented");
  }
  /** Bytes of all fragments, without the init segment. */
  get fragmentsSizeBytes(): number {
    throw new Error("not implemented");
  }
  /** Decode time of the first video sample, ticks of the video track. */
  get firstDecodeTime(): number {
    throw new Error("not implemented");
  }
  /** Where the next segment's first video sample is to be decoded. */
  get endDecodeTime(): number {
    throw new Error("not implemented");
  }
  /** Video media time, rounded. */
  get durationMs(): number {
    throw new Error("not implemented");
  }
  /** Average frames per second of the video, to three decimals. */
  get fps(): number {
    throw new Error("not implemented");
  }
}

/** What a spool file holds. */
export interface SegmentScan {
  init: InitSegment;
  index: SegmentIndex;
  fragmentCount: number;
  /** Length of the valid prefix: init segment and whole fragments. */
  wholeBytes: number;
  /** Bytes after it: a fragment that was being written, or damage. */
  tornBytes: number;
  /** Why the scan stopped before the end of the file; absent when all of it is whole. */
  tornReason?: string;
  /** Earliest presentation time of the video in ticks of the video track, before edit lists. */
  startTicks: number;
  durationMs: number;
  fps: number;
  firstDecodeTime: number;
  endDecodeTime: number;
}

/**
 * Reads the box headers and `moof`s of a spool file `ftyp moov (moof mdat)*` and skips the media data. Stops at the
 * first box that is torn or invalid. Throws `corrupt_file` when not even the init segment is whole, `not_found`,
 * `io`. Blocks on file calls: for workers and start-up.
 */
export function scanSegmentFile(_path: string): Promise<SegmentScan> {
  return Promise.reject(new Error("not implemented"));
}
