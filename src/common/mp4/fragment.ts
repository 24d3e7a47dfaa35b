import type { InitSegment } from "./init-segment.ts";

/** The samples of one track in one `traf`; all arrays have one entry per sample, in decode order. */
export interface TrackFragment {
  trackId: number;
  sampleDescriptionIndex: number;
  /** Decode time of the first sample, in ticks of the track, on the time line of the run (`tfdt`). */
  baseDecodeTime: number;
  /** Sum of the sample durations, in ticks. */
  durationTicks: number;
  sampleCount: number;
  durations: Uint32Array;
  sizes: Uint32Array;
  /** Composition minus decode time; may be negative. */
  compositionOffsets: Int32Array;
  /** 1 for a sync sample. */
  sync: Uint8Array;
  /** Byte offset from the start of the `moof`. */
  offsets: Uint32Array;
}

/** What a `moof` says. */
export interface ParsedFragment {
  sequenceNumber: number;
  /** `moof` and `mdat` with their headers. */
  sizeBytes: number;
  /** One per `traf` that has samples, in file order. */
  tracks: readonly TrackFragment[];
  /** False for a fragment that holds only audio, as a stream may end with. */
  hasVideo: boolean;
  /** Whether the first video sample is flagged as a sync sample. */
  startsWithKeyframe: boolean;
  /** Decode time of the first video sample in ticks of the video track; 0 without video. */
  videoDecodeTime: number;
  /** Sum of the video sample durations in ticks of the video track; 0 without video. */
  videoDurationTicks: number;
  videoDurationMs: number;
}

/** A fragment with its bytes: `moof` directly followed by its `mdat`. */
export interface Fragment extends ParsedFragment {
  bytes: Uint8Array;
}

/**
 * Reads a `moof` (ISO/IEC 14496-12 section 8.8). `mdat` is where the media data lies, as offsets from the start of
 * the `moof`; every sample must be inside. `moofOffset` is the place of the `moof` in its file or stream, which
 * matters only for absolute data offsets. Throws `corrupt_file`.
 */
export function parseFragment(
  _moof: Uint8Array,
  _init: InitSegment,
  _mdat: { start: number; end: number },
  _moofOffset = 0,
): ParsedFragment {
  throw new Error("not implemented");
}
