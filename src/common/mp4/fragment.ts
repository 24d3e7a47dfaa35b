import { type Box, corrupt, readBox, readBoxes, requireBox } from "./boxes.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { InitSegment, SampleDefaults } from "./init-segment.ts";

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
  /** One per `traf` of an audio or video track that has samples, in file order. */
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

/** `sample_is_non_sync_sample` (ISO/IEC 14496-12 8.8.3.1). */
const nonSyncFlag = 0x10000;

/** Muxers write one for each track, or a few. */
const maxTrackFragments = 256;

/** One traf of one GOP; audio has about 50 samples a second. Bounds what a hostile `moof` can make us allocate. */
const maxSamplesPerTrackFragment = 100_000;

/**
 * Reads a `moof` (ISO/IEC 14496-12 section 8.8). `mdat` is where the media data lies, as offsets from the start of
 * the `moof`: every sample must be inside. Throws `corrupt_file`; also for absolute data offsets, which would be
 * wrong as soon as the fragment is moved into a segment or an archive file.
 */
export function parseFragment(
  moof: Uint8Array,
  init: InitSegment,
  mdat: { start: number; end: number },
): ParsedFragment {
  const box = readBox(moof);
  if (box.type !== "moof") throw corrupt(`a fragment starts with "moof", not with "${box.type}"`);
  if (mdat.end > 0xffffffff) throw corrupt("the fragment is larger than 4 GiB");
  const header = ByteCursor.ofBox(moof, requireBox(moof, box, "mfhd"), 4);
  const sequenceNumber = header.u32();

  const tracks: TrackFragment[] = [];
  // Without default-base-is-moof, the data of a traf follows the data of the one before (8.8.7.1).
  let dataEnd = 0;
  let trafs = 0;
  for (const child of readBoxes(moof, box.contentStart, box.end)) {
    if (child.type !== "traf") continue;
    if (++trafs > maxTrackFragments)
      throw corrupt(`a fragment has more than ${maxTrackFragments} parts ("traf")`);
    const result = parseTrackFragment(moof, child, init, dataEnd, mdat);
    dataEnd = result.dataEnd;
    if (result.track !== undefined && result.track.sampleCount > 0) tracks.push(result.track);
  }
  const video = tracks.filter((track) => track.trackId === init.video.trackId);
  const videoDurationTicks = video.reduce((sum, track) => sum + track.durationTicks, 0);
  return {
    sequenceNumber,
    sizeBytes: mdat.end,
    tracks,
    hasVideo: video.length > 0,
    startsWithKeyframe: video[0]?.sync[0] === 1,
    videoDecodeTime: video[0]?.baseDecodeTime ?? 0,
    videoDurationTicks,
    videoDurationMs: (videoDurationTicks * 1000) / init.video.timescale,
  };
}

interface TrackFragmentHeader extends SampleDefaults {
  trackId: number;
  baseIsMoof: boolean;
}

/** `tfhd` (8.8.7), with what it leaves out taken from `trex`; `undefined` for a track that is neither audio nor video. */
function parseHeader(cursor: ByteCursor, init: InitSegment): TrackFragmentHeader | undefined {
  const { flags } = cursor.fullBox();
  const trackId = cursor.u32();
  const track = init.tracks.find((candidate) => candidate.trackId === trackId);
  if (flags & 0x1) throw corrupt("the fragment has absolute data offsets (record with default_base_moof)");
  if (track === undefined) return undefined;
  const defaults = track.sampleDefaults;
  const sampleDescriptionIndex = flags & 0x2 ? cursor.u32() : defaults.sampleDescriptionIndex;
  if (sampleDescriptionIndex < 1 || sampleDescriptionIndex > track.sampleDescriptionCount) {
    throw corrupt(`track ${trackId} has no sample description ${sampleDescriptionIndex}`);
  }
  return {
    trackId,
    sampleDescriptionIndex,
    durationTicks: flags & 0x8 ? cursor.u32() : defaults.durationTicks,
    sizeBytes: flags & 0x10 ? cursor.u32() : defaults.sizeBytes,
    flags: flags & 0x20 ? cursor.u32() : defaults.flags,
    baseIsMoof: (flags & 0x20000) !== 0,
  };
}

function parseTrackFragment(
  moof: Uint8Array,
  traf: Box,
  init: InitSegment,
  previousDataEnd: number,
  mdat: { start: number; end: number },
): { track?: TrackFragment; dataEnd: number } {
  const header = parseHeader(ByteCursor.ofBox(moof, requireBox(moof, traf, "tfhd")), init);
  const runs: Box[] = [];
  let baseDecodeTime: number | undefined;
  for (const child of readBoxes(moof, traf.contentStart, traf.end)) {
    if (child.type === "trun") runs.push(child);
    if (child.type === "tfdt") baseDecodeTime = parseDecodeTime(ByteCursor.ofBox(moof, child));
  }
  if (header === undefined) return { dataEnd: previousDataEnd };

  const sampleCount = runs.reduce((sum, run) => sum + ByteCursor.ofBox(moof, run, 4).u32(), 0);
  if (sampleCount > maxSamplesPerTrackFragment) {
    throw corrupt(`a fragment says it has ${sampleCount} samples of track ${header.trackId}`);
  }
  if (sampleCount > 0 && baseDecodeTime === undefined) throw corrupt('a "traf" has no decode time ("tfdt")');
  const track: TrackFragment = {
    trackId: header.trackId,
    sampleDescriptionIndex: header.sampleDescriptionIndex,
    baseDecodeTime: baseDecodeTime ?? 0,
    durationTicks: 0,
    sampleCount,
    durations: new Uint32Array(sampleCount),
    sizes: new Uint32Array(sampleCount),
    compositionOffsets: new Int32Array(sampleCount),
    sync: new Uint8Array(sampleCount),
    offsets: new Uint32Array(sampleCount),
  };
  const base = header.baseIsMoof ? 0 : previousDataEnd;
  let dataEnd = base;
  let first = 0;
  for (const run of runs) {
    const cursor = ByteCursor.ofBox(moof, run);
    const result = parseRun(cursor, header, track, first, base, dataEnd, mdat);
    first += result.count;
    dataEnd = result.dataEnd;
  }
  return { track, dataEnd };
}

/** `tfdt` (8.8.12). */
function parseDecodeTime(cursor: ByteCursor): number {
  return cursor.fullBox().version === 1 ? cursor.u64() : cursor.u32();
}

/** Fills `track` from `first` on from one `trun` (8.8.8). */
function parseRun(
  cursor: ByteCursor,
  header: TrackFragmentHeader,
  track: TrackFragment,
  first: number,
  base: number,
  previousEnd: number,
  mdat: { start: number; end: number },
): { count: number; dataEnd: number } {
  const { flags } = cursor.fullBox();
  const count = cursor.u32();
  let offset = flags & 0x1 ? base + cursor.i32() : previousEnd;
  const firstFlags = flags & 0x4 ? cursor.u32() : undefined;
  const hasDuration = (flags & 0x100) !== 0;
  const hasSize = (flags & 0x200) !== 0;
  const hasFlags = (flags & 0x400) !== 0;
  const hasCompositionOffset = (flags & 0x800) !== 0;
  const fields = [hasDuration, hasSize, hasFlags, hasCompositionOffset].filter(Boolean).length;
  const words = cursor.u32s(count * fields);
  const { durations, sizes, sync, compositionOffsets, offsets } = track;
  let next = 0;
  let durationTicks = 0;
  for (let i = first; i < first + count; i++) {
    const duration = hasDuration ? words[next++]! : header.durationTicks;
    const size = hasSize ? words[next++]! : header.sizeBytes;
    const ownFlags = hasFlags ? words[next++]! : header.flags;
    const sampleFlags = i === first ? (firstFlags ?? ownFlags) : ownFlags;
    if (size === 0 || offset < mdat.start || offset + size > mdat.end) {
      throw corrupt(
        `a sample of track ${track.trackId} (${size} bytes at ${offset}) is not in the media data`,
      );
    }
    durations[i] = duration;
    sizes[i] = size;
    sync[i] = sampleFlags & nonSyncFlag ? 0 : 1;
    // Version 0 is unsigned by the letter, but some muxers write negative offsets into it, and no real one is
    // past 2^31: both versions are read as signed, which the array makes of it.
    if (hasCompositionOffset) compositionOffsets[i] = words[next++]!;
    offsets[i] = offset;
    durationTicks += duration;
    offset += size;
  }
  track.durationTicks += durationTicks;
  return { count, dataEnd: offset };
}
