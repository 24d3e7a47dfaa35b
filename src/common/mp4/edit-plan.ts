import { corrupt } from "./boxes.ts";
import type { SampleTable } from "./sample-table.ts";
import type { SegmentIndex } from "./segment-index.ts";

/** How one track is placed on the presentation of the outer movie. */
export interface TrackEdit {
  table: SampleTable;
  /** Added to every composition offset, so that none is negative and `ctts` can have version 0. */
  compositionShift: number;
  /** Ticks of the movie before the track starts. */
  emptyDuration: number;
  /** Composition time, in ticks of the track with its first sample decoded at 0, at which the track starts. */
  mediaTime: number;
  /** Ticks of the movie that are presented from there on. */
  duration: number;
}

export interface EditPlan {
  /** Ticks per second in which every track's offset is a whole number, if there are such. */
  movieTimescale: number;
  /** Length of the presentation in ticks of the movie. */
  duration: number;
  /** Tracks with at least one sample. */
  tracks: readonly TrackEdit[];
}

/** Larger time scales are read as negative by some players. */
const maxTimescale = 0x7fffffff;

/**
 * Edit lists (ISO/IEC 14496-12 8.6.6) with which the presentation of a segment starts at 0 and its tracks are as far
 * apart as on the time line of the run. The earliest track starts at 0 and a later one behind an empty edit; nothing
 * is cut off but what the run itself does not present (AAC priming before its start). Throws `corrupt_file` for
 * times that no real stream has. Nothing is presented from `endSeconds` of the presentation on.
 */
export function planEdits(index: SegmentIndex, endSeconds?: number): EditPlan {
  const tables = index.tables.filter((table) => table.sampleCount > 0);
  const movieTimescale = commonTimescale(tables, index.init.movieTimescale);
  const scale = BigInt(movieTimescale);
  const starts = tables.map((table) => {
    const { timescale, mediaTime, emptyEditDuration } = table.track;
    const media = BigInt(table.firstCompositionTime) - BigInt(mediaTime);
    return (
      divideRounded(media * scale, BigInt(timescale)) +
      divideRounded(BigInt(emptyEditDuration) * scale, BigInt(index.init.movieTimescale))
    );
  });
  let earliest = starts[0] ?? 0n;
  for (const start of starts) if (start < earliest) earliest = start;
  const lengths = tables.map((table) => {
    const ticks = BigInt(table.endCompositionTime - table.firstCompositionTime);
    return divideUp(ticks * scale, BigInt(table.track.timescale));
  });
  // Time before 0 is not presented, unless that would be all there is of a track.
  const cutsBeforeZero = earliest < 0n && starts.every((start, i) => start + lengths[i]! > 0n);
  const origin = cutsBeforeZero ? 0n : earliest;

  const tracks = tables.map((table, i): TrackEdit => {
    const cut = starts[i]! < origin ? origin - starts[i]! : 0n;
    const compositionShift = Math.max(0, -table.smallestCompositionOffset);
    const firstComposition = table.firstCompositionTime - table.firstDecodeTime + compositionShift;
    return {
      table,
      compositionShift,
      emptyDuration: inRange(starts[i]! > origin ? starts[i]! - origin : 0n),
      mediaTime: firstComposition + inRange(divideRounded(cut * BigInt(table.track.timescale), scale)),
      duration: inRange(lengths[i]! - cut),
    };
  });
  if (endSeconds !== undefined)
    return trimEnd(tracks, movieTimescale, Math.round(endSeconds * movieTimescale));
  const duration = tracks.reduce((longest, edit) => Math.max(longest, edit.emptyDuration + edit.duration), 0);
  return { movieTimescale, duration, tracks };
}

/** A track that would start at the end or later is left out. */
function trimEnd(tracks: readonly TrackEdit[], movieTimescale: number, end: number): EditPlan {
  const trimmed = tracks
    .filter((edit) => edit.emptyDuration < end)
    .map((edit) => ({ ...edit, duration: Math.min(edit.duration, end - edit.emptyDuration) }));
  const duration = Math.max(0, ...trimmed.map((edit) => edit.emptyDuration + edit.duration));
  return { movieTimescale, duration, tracks: trimmed };
}

function commonTimescale(tables: readonly SampleTable[], innerMovieTimescale: number): number {
  const timescales = tables.map((table) => table.track.timescale);
  if (tables.some((table) => table.track.emptyEditDuration > 0)) timescales.push(innerMovieTimescale);
  let common = 1n;
  for (const timescale of timescales) {
    common = (common * BigInt(timescale)) / greatestCommonDivisor(common, BigInt(timescale));
    // Then offsets are rounded to ticks of the first track.
    if (common > BigInt(maxTimescale)) return Math.min(timescales[0]!, maxTimescale);
  }
  return Number(common);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** To the nearest; halves away from zero. */
function divideRounded(value: bigint, by: bigint): bigint {
  return value < 0n ? -divideRounded(-value, by) : (value + by / 2n) / by;
}

function inRange(ticks: bigint): number {
  if (ticks < 0n || ticks > BigInt(2 ** 48)) throw corrupt("the times of the tracks are too far apart");
  return Number(ticks);
}
