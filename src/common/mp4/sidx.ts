import { FieldWriter, writeFullBox } from "./box-writer.ts";
import { type Box, corrupt } from "./boxes.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { Track } from "./init-segment.ts";
import type { SegmentIndex } from "./segment-index.ts";

/** One part of the segment that a player can fetch by itself. */
export interface Subsegment {
  sizeBytes: number;
  /** Earliest presentation time, in ticks of the video track on the time line of the run. */
  startTicks: number;
  /** To the earliest presentation time of the next, or to the end. */
  durationTicks: number;
  startsWithKeyframe: boolean;
  /** All pictures are shown at or after the keyframe; false for one that others precede (open GOP). */
  closed: boolean;
}

/** What the 16 bits of `reference_count` can say. */
export const maxReferences = 0xffff;
const maxReferenceBytes = 0x7fffffff;

/**
 * One subsegment per fragment. A fragment without video joins the one before it, so that each can be shown; and
 * when there are more than 65,535, neighbours are taken together. Throws `corrupt_file` without video.
 */
export function planSubsegments(index: SegmentIndex): Subsegment[] {
  const { track } = index.video;
  if (index.video.sampleCount === 0) throw corrupt("the segment has no video");
  const emptyTicks = Math.round((track.emptyEditDuration * track.timescale) / index.init.movieTimescale);
  const shift = emptyTicks - track.mediaTime;
  const parts = joinWithoutVideo(index);
  const perReference = Math.ceil(parts.length / maxReferences);
  const subsegments: Subsegment[] = [];
  for (let i = 0; i < parts.length; i += perReference) {
    const group = parts.slice(i, i + perReference);
    subsegments.push({
      sizeBytes: group.reduce((sum, part) => sum + part.sizeBytes, 0),
      startTicks: Math.max(0, Math.min(...group.map((part) => part.firstCompositionTime)) + shift),
      durationTicks: 0,
      startsWithKeyframe: group[0]!.startsWithKeyframe,
      closed: group[0]!.closed,
    });
  }
  subsegments.forEach((subsegment, i) => {
    if (!Number.isSafeInteger(subsegment.startTicks)) throw corrupt("a presentation time is out of range");
    const end = subsegments[i + 1]?.startTicks ?? index.video.endCompositionTime + shift;
    subsegment.durationTicks = Math.max(0, end - subsegment.startTicks);
  });
  return subsegments;
}

interface Part {
  sizeBytes: number;
  firstCompositionTime: number;
  startsWithKeyframe: boolean;
  closed: boolean;
}

function joinWithoutVideo(index: SegmentIndex): Part[] {
  const { video } = index;
  const compositionOffsets = video.compositionOffsets.view();
  const durations = video.durations.view();
  const parts: Part[] = [];
  let decodeTime = video.firstDecodeTime;
  let joined = 0;
  for (let fragment = 0; fragment < index.fragmentCount; fragment++) {
    joined += index.fragmentSizes.at(fragment);
    const first = index.fragmentFirstVideoSamples.at(fragment);
    const isLast = fragment + 1 === index.fragmentCount;
    const end = isLast ? video.sampleCount : index.fragmentFirstVideoSamples.at(fragment + 1);
    if (first === end) {
      const before = parts.at(-1);
      // Before any video, it waits for the first fragment that has some.
      if (before === undefined) continue;
      before.sizeBytes += joined;
      joined = 0;
      continue;
    }
    const keyframeTime = decodeTime + compositionOffsets[first]!;
    let firstCompositionTime = keyframeTime;
    for (let sample = first; sample < end; sample++) {
      const compositionTime = decodeTime + compositionOffsets[sample]!;
      if (compositionTime < firstCompositionTime) firstCompositionTime = compositionTime;
      decodeTime += durations[sample]!;
    }
    parts.push({
      sizeBytes: joined,
      firstCompositionTime,
      startsWithKeyframe: video.sync.at(first) === 1,
      closed: firstCompositionTime === keyframeTime,
    });
    joined = 0;
  }
  return parts;
}

/** ISO/IEC 14496-12 8.16.3, version 1. The first byte after the box is the first byte of the first subsegment. */
export function writeSidx(
  track: Pick<Track, "trackId" | "timescale">,
  subsegments: readonly Subsegment[],
): Uint8Array {
  const writer = new FieldWriter(28 + subsegments.length * 12)
    .u32(track.trackId)
    .u32(track.timescale)
    .u64(subsegments[0]!.startTicks)
    .u64(0)
    .u16(0)
    .u16(subsegments.length);
  for (const { sizeBytes, durationTicks, startsWithKeyframe, closed } of subsegments) {
    if (sizeBytes > maxReferenceBytes || durationTicks > 0xffffffff) {
      throw corrupt("a fragment is too large or too long for an index");
    }
    // starts_with_SAP, then SAP_type 1 (closed GOP) or 3 (pictures before the keyframe that need an earlier one).
    const accessPoint = startsWithKeyframe ? 0x80000000 + (closed ? 1 : 3) * 0x10000000 : 0;
    writer.u32(sizeBytes).u32(durationTicks).u32(accessPoint);
  }
  return writeFullBox("sidx", 1, 0, writer.bytes);
}

export interface ParsedSidx {
  trackId: number;
  timescale: number;
  subsegments: Subsegment[];
}

/** Inverse of {@link writeSidx}; throws `corrupt_file` for anything else, such as an index of indexes. */
export function parseSidx(bytes: Uint8Array, box: Box): ParsedSidx {
  const cursor = ByteCursor.ofBox(bytes, box);
  const { version } = cursor.fullBox();
  if (version !== 1) throw corrupt(`"sidx" has version ${version}, not 1`);
  const trackId = cursor.u32();
  const timescale = cursor.u32();
  if (timescale === 0) throw corrupt('"sidx" has the time scale 0');
  let startTicks = cursor.u64();
  if (cursor.u64() !== 0) throw corrupt('"sidx" does not point at the byte after it');
  cursor.skip(2);
  const count = cursor.u16();
  if (cursor.remaining !== count * 12)
    throw corrupt(`"sidx" says it has ${count} entries, which is not its size`);
  const subsegments: Subsegment[] = [];
  for (let i = 0; i < count; i++) {
    const sizeBytes = cursor.u32();
    const durationTicks = cursor.u32();
    const accessPoint = cursor.u32();
    if (sizeBytes > maxReferenceBytes) throw corrupt('"sidx" points at another index');
    const startsWithKeyframe = accessPoint >= 0x80000000;
    const closed = ((accessPoint >>> 28) & 7) === 1;
    subsegments.push({ sizeBytes, startTicks, durationTicks, startsWithKeyframe, closed });
    startTicks += durationTicks;
    if (!Number.isSafeInteger(startTicks)) throw corrupt('"sidx" counts past every real time');
  }
  return { trackId, timescale, subsegments };
}
