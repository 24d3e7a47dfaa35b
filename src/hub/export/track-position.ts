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
    while (this.#next < columns.sampleCount && columns.offsets[this.#next]! < startOffset) this.#skip();
  }

  #skip(): void {
    this.#decodeTicks += this.columns.durations[this.#next++]!;
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
    const end = range.offset + range.sizeBytes;
    const isInside = () => this.#next < columns.sampleCount && columns.offsets[this.#next]! < end;
    if (!this.isVideo && notBefore !== undefined) {
      const seconds = notBefore / columns.timescale - shift;
      while (isInside() && this.decodeSeconds + this.#halfSampleSeconds < seconds) this.#skip();
    }
    const begin = this.#next;
    const base = Math.round((shift + this.decodeSeconds) * columns.timescale);
    while (isInside()) {
      const offset = columns.offsets[this.#next]!;
      if (offset < range.offset || offset + columns.sizes[this.#next]! > end) {
        throw corrupt("a sample of the index is in none of the fragments");
      }
      this.#skip();
    }
    if (this.#next === begin) return undefined;
    const baseDecodeTime = Math.max(base, notBefore ?? base);
    const compositionOffsets = columns.compositionOffsets.slice(begin, this.#next);
    // A decode time that had to give way must not move the picture.
    const late = baseDecodeTime - base;
    if (this.isVideo) for (let i = 0; i < compositionOffsets.length; i++) compositionOffsets[i]! -= late;
    const durations = columns.durations.subarray(begin, this.#next);
    const offsets = new Uint32Array(durations.length);
    let durationTicks = 0;
    for (let i = 0; i < durations.length; i++) {
      offsets[i] = columns.offsets[begin + i]! - range.offset;
      durationTicks += durations[i]!;
    }
    return {
      trackId: columns.trackId,
      sampleDescriptionIndex: columns.descriptions[begin]!,
      baseDecodeTime,
      durationTicks,
      sampleCount: this.#next - begin,
      durations,
      sizes: columns.sizes.subarray(begin, this.#next),
      compositionOffsets,
      sync: columns.sync.subarray(begin, this.#next),
      offsets,
    };
  }
}
