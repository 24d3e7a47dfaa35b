import type { FragmentRange } from "../../common/mp4/archive-file.ts";
import { corrupt } from "../../common/mp4/boxes.ts";
import type { TrackFragment } from "../../common/mp4/fragment.ts";
import type { SampleColumns } from "./sample-columns.ts";

/** How far a track of a source has been taken over. */
export class TrackPosition {
  #next = 0;
  /** Ticks from the track's first sample to the next one. */
  #decodeTicks = 0;

  /** Skips the samples before `startOffset` of the file. */
  constructor(
    readonly columns: SampleColumns,
    readonly isVideo: boolean,
    startOffset: number,
  ) {
    this.#skipTo(firstAtOrAfter(columns.offsets, startOffset));
  }

  #skipTo(sample: number): void {
    const { durations } = this.columns;
    let ticks = this.#decodeTicks;
    for (let i = this.#next; i < sample; i++) ticks += durations[i]!;
    this.#decodeTicks = ticks;
    this.#next = sample;
  }

  get #halfSampleSeconds(): number {
    return this.columns.durations[this.#next]! / this.columns.timescale / 2;
  }

  /** On the time line of the source's movie, of the next sample. */
  get decodeSeconds(): number {
    return this.columns.decodeStartSeconds + this.#decodeTicks / this.columns.timescale;
  }

  /** The earliest presentation among the samples before `endOffset`, on the time line of the source's movie. */
  firstPresentationSeconds(endOffset: number): number {
    const { columns } = this;
    let earliest = Number.POSITIVE_INFINITY;
    let ticks = this.#decodeTicks;
    for (let i = this.#next; i < columns.sampleCount && columns.offsets[i]! < endOffset; i++) {
      earliest = Math.min(earliest, ticks + columns.compositionOffsets[i]!);
      ticks += columns.durations[i]!;
    }
    if (earliest === Number.POSITIVE_INFINITY) throw corrupt("a fragment has no picture");
    return columns.decodeStartSeconds + earliest / columns.timescale;
  }

  /**
   * The samples of a fragment, `shift` seconds later than in the source, but not before `notBefore` ticks: sound that
   * began before the picture of its run did is left out where other sound still plays.
   */
  take(range: FragmentRange, shift: number, notBefore: number | undefined): TrackFragment | undefined {
    const { columns } = this;
    const { durations: allDurations, sizes: allSizes, offsets: allOffsets } = columns;
    const end = range.offset + range.sizeBytes;
    if (!this.isVideo && notBefore !== undefined) {
      const seconds = notBefore / columns.timescale - shift;
      const isInside = () => this.#next < columns.sampleCount && allOffsets[this.#next]! < end;
      while (isInside() && this.decodeSeconds + this.#halfSampleSeconds < seconds)
        this.#skipTo(this.#next + 1);
    }
    const begin = this.#next;
    const base = Math.round((shift + this.decodeSeconds) * columns.timescale);
    let next = begin;
    for (; next < columns.sampleCount; next++) {
      const offset = allOffsets[next]!;
      if (offset >= end) break;
      if (offset < range.offset || offset + allSizes[next]! > end) {
        throw corrupt("a sample of the index is in none of the fragments");
      }
    }
    if (next === begin) return undefined;
    this.#skipTo(next);
    const baseDecodeTime = Math.max(base, notBefore ?? base);
    const compositionOffsets = columns.compositionOffsets.slice(begin, next);
    // A decode time that had to give way must not move the picture.
    const late = baseDecodeTime - base;
    if (this.isVideo) for (let i = 0; i < compositionOffsets.length; i++) compositionOffsets[i]! -= late;
    const sampleCount = next - begin;
    const offsets = new Uint32Array(sampleCount);
    let durationTicks = 0;
    for (let i = 0; i < sampleCount; i++) {
      offsets[i] = allOffsets[begin + i]! - range.offset;
      durationTicks += allDurations[begin + i]!;
    }
    return {
      trackId: columns.trackId,
      sampleDescriptionIndex: columns.descriptions[begin]!,
      baseDecodeTime,
      durationTicks,
      sampleCount,
      durations: allDurations.subarray(begin, next),
      sizes: allSizes.subarray(begin, next),
      compositionOffsets,
      sync: columns.sync.subarray(begin, next),
      offsets,
    };
  }
}

/** By halving: the samples of a track lie in the order in which they are decoded. */
function firstAtOrAfter(offsets: Float64Array, offset: number): number {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
