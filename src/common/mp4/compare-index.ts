import { corrupt, readBox, readBoxes } from "./boxes.ts";
import type { InitSegment, Track } from "./init-segment.ts";
import { type OuterTrack, readOuterTracks } from "./outer-tables.ts";
import type { SampleTable } from "./sample-table.ts";
import type { SegmentIndex } from "./segment-index.ts";
import { parseSidx, planSubsegments } from "./sidx.ts";

/** Tracks may be this far from where the run has them: time scales round. */
const maxSyncErrorSeconds = 0.0005;

/**
 * What the outer `moov` says otherwise than the fragments, in words; empty when it agrees. Reads the tables by
 * themselves and does not use the code that wrote them. `fragmentsOffset` is where the first fragment starts.
 */
export function compareOuterTables(moov: Uint8Array, index: SegmentIndex, fragmentsOffset: number): string[] {
  const problems: string[] = [];
  const outerTracks = readOuterTracks(moov, readBox(moov));
  const tables = index.tables.filter((table) => table.sampleCount > 0);
  for (const outer of outerTracks) {
    if (!tables.some((table) => table.track.trackId === outer.trackId)) {
      problems.push(`the index has a track ${outer.trackId} that the video does not have`);
    }
  }
  let videoSync: number | undefined;
  for (const table of [index.video, ...tables.filter((candidate) => candidate !== index.video)]) {
    const name = `${table.track.kind} track ${table.track.trackId}`;
    const outer = outerTracks.find((candidate) => candidate.trackId === table.track.trackId);
    if (outer === undefined) {
      problems.push(`the index lacks the ${name}`);
      continue;
    }
    const difference = compareTrack(outer, table, fragmentsOffset);
    if (typeof difference === "string") {
      problems.push(`${name}: ${difference}`);
      continue;
    }
    const sync = syncOffset(outer, table, difference.compositionShift, index.init);
    videoSync ??= sync;
    if (Math.abs(sync - videoSync) > maxSyncErrorSeconds) {
      problems.push(
        `${name}: the edit list moves it by ${(sync - videoSync).toFixed(4)} s against the video`,
      );
    }
  }
  return problems;
}

function compareTrack(
  outer: OuterTrack,
  table: SampleTable,
  fragmentsOffset: number,
): string | { compositionShift: number } {
  if (outer.timescale !== table.track.timescale) {
    return `the index has ${outer.timescale} ticks per second, the video ${table.track.timescale}`;
  }
  if (outer.sampleCount !== table.sampleCount) {
    return `the index has ${outer.sampleCount} samples, the video ${table.sampleCount}`;
  }
  let compositionShift: number | undefined;
  let chunk = -1;
  let leftInChunk = 0;
  let offset = 0;
  let i = 0;
  for (const sample of outer.samples()) {
    if (leftInChunk === 0) {
      chunk++;
      leftInChunk = table.chunkSampleCounts.at(chunk);
      offset = fragmentsOffset + table.chunkOffsets.at(chunk);
    }
    compositionShift ??= sample.compositionOffset - table.compositionOffsets.at(0);
    const checks: [what: string, inIndex: number, inVideo: number][] = [
      ["offset", sample.offset, offset],
      ["size", sample.sizeBytes, table.sizes.at(i)],
      ["duration", sample.durationTicks, table.durations.at(i)],
      ["composition offset", sample.compositionOffset - compositionShift, table.compositionOffsets.at(i)],
      ["keyframe flag", sample.sync ? 1 : 0, table.sync.at(i)],
    ];
    for (const [what, inIndex, inVideo] of checks) {
      if (inIndex !== inVideo) return `sample ${i}: the index has ${what} ${inIndex}, the video ${inVideo}`;
    }
    offset += sample.sizeBytes;
    leftInChunk--;
    i++;
  }
  if (compositionShift === undefined) throw corrupt("a track has no samples");
  return { compositionShift };
}

/** Seconds between the outer and the inner presentation of a track; the same for all tracks of a sound file. */
function syncOffset(
  outer: OuterTrack,
  { track, firstDecodeTime }: SampleTable,
  compositionShift: number,
  init: InitSegment,
): number {
  const outerStart = compositionShift / track.timescale + outer.presentationShift;
  const innerStart = (firstDecodeTime - track.mediaTime) / track.timescale + emptyEditSeconds(track, init);
  return outerStart - innerStart;
}

function emptyEditSeconds(track: Track, init: InitSegment): number {
  return track.emptyEditDuration / init.movieTimescale;
}

/** What the `sidx` says otherwise than the fragments, in words; `undefined` when it agrees. */
export function compareSidx(bytes: Uint8Array, index: SegmentIndex): string | undefined {
  const parsed = parseSidx(bytes, readBox(bytes));
  const { trackId, timescale } = index.init.video;
  if (parsed.trackId !== trackId || parsed.timescale !== timescale) return "it is not about the video track";
  const expected = planSubsegments(index);
  if (parsed.subsegments.length !== expected.length) {
    return `it lists ${parsed.subsegments.length} fragments, the video has ${expected.length}`;
  }
  for (const [i, wanted] of expected.entries()) {
    const found = parsed.subsegments[i]!;
    for (const key of ["sizeBytes", "startTicks", "durationTicks", "startsWithKeyframe", "closed"] as const) {
      if (found[key] !== wanted[key])
        return `fragment ${i}: ${key} is ${found[key]}, in the video ${wanted[key]}`;
    }
  }
  return undefined;
}

/** Where two byte strings first differ, as the path of the box there: `moov/trak/tkhd`; `undefined` when equal. */
export function firstDifference(actual: Uint8Array, expected: Uint8Array): string | undefined {
  const length = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < length && actual[at] === expected[at]) at++;
  if (at === actual.length && at === expected.length) return undefined;
  return boxPathAt(expected, Math.min(at, expected.length - 1));
}

const containers = new Set(["moov", "trak", "edts", "mdia", "minf", "dinf", "stbl"]);

function boxPathAt(bytes: Uint8Array, at: number, start = 0, end = bytes.length): string {
  for (const box of readBoxes(bytes, start, end)) {
    if (at >= box.end) continue;
    const deeper = containers.has(box.type) && at >= box.contentStart;
    return deeper ? `${box.type}/${boxPathAt(bytes, at, box.contentStart, box.end)}` : box.type;
  }
  return "";
}
