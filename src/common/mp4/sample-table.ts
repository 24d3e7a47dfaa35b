import { corrupt } from "./boxes.ts";
import type { TrackFragment } from "./fragment.ts";
import { GrowableArray } from "./growable-array.ts";
import type { Track } from "./init-segment.ts";

/** Leaves room to add composition offsets and edits; 1,500 years at 90 kHz. */
const maxDecodeTime = 2 ** 52;

/** All samples of one track in one segment, in decode order, and the chunks they lie in. */
export class SampleTable {
  readonly sizes = new GrowableArray((length) => new Uint32Array(length));
  /** To the next sample's decode time: as in the fragments, and longer where the next fragment starts later. */
  readonly durations = new GrowableArray((length) => new Uint32Array(length));
  readonly compositionOffsets = new GrowableArray((length) => new Int32Array(length));
  readonly sync = new GrowableArray((length) => new Uint8Array(length));
  /** A chunk is a run of samples without a byte between them; never across fragments. Offsets as in `SegmentIndex`. */
  readonly chunkOffsets = new GrowableArray((length) => new Float64Array(length));
  readonly chunkSampleCounts = new GrowableArray((length) => new Uint32Array(length));
  readonly chunkDescriptions = new GrowableArray((length) => new Uint32Array(length));
  /** Decode time of the first sample on the time line of the run; 0 while there is none. */
  firstDecodeTime = 0;
  /** Decode time plus duration of the last sample. */
  endDecodeTime = 0;
  smallestCompositionOffset = 0;
  /** Smallest composition time so far, on the time line of the run. */
  firstCompositionTime = Number.POSITIVE_INFINITY;
  /** Largest composition time plus duration so far. */
  endCompositionTime = Number.NEGATIVE_INFINITY;

  constructor(readonly track: Track) {}

  get sampleCount(): number {
    return this.sizes.length;
  }

  /** Throws `corrupt_file` when `fragment` cannot follow what is there; `previousEnd` stands for an earlier part. */
  checkFollows(fragment: TrackFragment, previous: TrackFragment | undefined): void {
    const end = previous ? previous.baseDecodeTime + previous.durationTicks : this.endDecodeTime;
    const lastDuration = previous
      ? previous.durations[previous.sampleCount - 1]!
      : this.sampleCount > 0
        ? this.durations.at(this.sampleCount - 1)
        : undefined;
    if (lastDuration !== undefined) {
      const stretched = lastDuration + fragment.baseDecodeTime - end;
      if (stretched < 0) throw corrupt(`the decode time of track ${this.track.trackId} goes back`);
      if (stretched > 0xffffffff) throw corrupt(`track ${this.track.trackId} has a hole that is too long`);
    }
    const fragmentEnd = fragment.baseDecodeTime + fragment.durationTicks;
    if (fragmentEnd > maxDecodeTime) throw corrupt("a decode time is out of range");
  }

  /** `fragmentOffset`: where the fragment starts, as {@link SegmentIndex} counts. After {@link checkFollows}. */
  append(fragment: TrackFragment, fragmentOffset: number): void {
    const last = this.sampleCount - 1;
    if (last >= 0) {
      const hole = fragment.baseDecodeTime - this.endDecodeTime;
      this.durations.set(last, this.durations.at(last) + hole);
    } else {
      this.firstDecodeTime = fragment.baseDecodeTime;
    }
    this.sizes.append(fragment.sizes);
    this.durations.append(fragment.durations);
    this.compositionOffsets.append(fragment.compositionOffsets);
    this.sync.append(fragment.sync);
    this.endDecodeTime = fragment.baseDecodeTime + fragment.durationTicks;

    const { sampleCount, sizes, durations, compositionOffsets, offsets } = fragment;
    let { smallestCompositionOffset, firstCompositionTime, endCompositionTime } = this;
    let decodeTime = fragment.baseDecodeTime;
    let chunkEnd = -1;
    let samplesInChunk = 0;
    for (let i = 0; i < sampleCount; i++) {
      const compositionOffset = compositionOffsets[i]!;
      const compositionTime = decodeTime + compositionOffset;
      const duration = durations[i]!;
      if (compositionOffset < smallestCompositionOffset) smallestCompositionOffset = compositionOffset;
      if (compositionTime < firstCompositionTime) firstCompositionTime = compositionTime;
      if (compositionTime + duration > endCompositionTime) endCompositionTime = compositionTime + duration;
      decodeTime += duration;
      const offset = offsets[i]!;
      if (offset !== chunkEnd) {
        if (samplesInChunk > 0) this.chunkSampleCounts.push(samplesInChunk);
        samplesInChunk = 0;
        this.chunkOffsets.push(fragmentOffset + offset);
        this.chunkDescriptions.push(fragment.sampleDescriptionIndex);
      }
      samplesInChunk++;
      chunkEnd = offset + sizes[i]!;
    }
    if (samplesInChunk > 0) this.chunkSampleCounts.push(samplesInChunk);
    this.smallestCompositionOffset = smallestCompositionOffset;
    this.firstCompositionTime = firstCompositionTime;
    this.endCompositionTime = endCompositionTime;
  }
}
