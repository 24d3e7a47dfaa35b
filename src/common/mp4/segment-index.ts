import { corrupt } from "./boxes.ts";
import type { ParsedFragment, TrackFragment } from "./fragment.ts";
import { GrowableArray } from "./growable-array.ts";
import type { InitSegment } from "./init-segment.ts";
import { SampleTable } from "./sample-table.ts";

/** Far more than an hour, the longest segment, can have; bounds the memory that a hostile file can take. */
const maxSamples = 4_000_000;
const maxFragments = 1_000_000;

/**
 * The sample tables of one segment, built up fragment by fragment: about 13 bytes per sample. Offsets count from
 * the first fragment, so they hold for the spool file and for the archive file alike.
 */
export class SegmentIndex {
  /** One per track of the init segment, in its order; empty where a track has no sample in this segment. */
  readonly tables: readonly SampleTable[];
  readonly fragmentSizes = new GrowableArray((length) => new Uint32Array(length));
  /** Samples that the video table had when each fragment began: the next entry (or the end) minus this is its share. */
  readonly fragmentFirstVideoSamples = new GrowableArray((length) => new Uint32Array(length));
  #fragmentsSizeBytes = 0;

  constructor(readonly init: InitSegment) {
    this.tables = init.tracks.map((track) => new SampleTable(track));
  }

  /**
   * Fragments in the order of the file. Throws `corrupt_file`, and changes nothing, when the fragment does not
   * continue what is there: the decode time of a track goes back, or the segment gets absurdly long.
   */
  addFragment(fragment: ParsedFragment): void {
    const added = fragment.tracks.reduce((sum, track) => sum + track.sampleCount, 0);
    if (this.sampleCount + added > maxSamples)
      throw corrupt(`more than ${maxSamples} samples in one segment`);
    if (this.fragmentCount >= maxFragments)
      throw corrupt(`more than ${maxFragments} fragments in one segment`);
    const before = new Map<number, TrackFragment>();
    for (const track of fragment.tracks) {
      this.tableOf(track.trackId).checkFollows(track, before.get(track.trackId));
      before.set(track.trackId, track);
    }
    this.fragmentFirstVideoSamples.push(this.video.sampleCount);
    for (const track of fragment.tracks) this.tableOf(track.trackId).append(track, this.#fragmentsSizeBytes);
    this.fragmentSizes.push(fragment.sizeBytes);
    this.#fragmentsSizeBytes += fragment.sizeBytes;
  }

  get video(): SampleTable {
    return this.tableOf(this.init.video.trackId);
  }

  tableOf(trackId: number): SampleTable {
    const table = this.tables.find((candidate) => candidate.track.trackId === trackId);
    if (table === undefined) throw corrupt(`there is no track ${trackId}`);
    return table;
  }

  get sampleCount(): number {
    return this.tables.reduce((sum, table) => sum + table.sampleCount, 0);
  }

  get fragmentCount(): number {
    return this.fragmentSizes.length;
  }

  /** Bytes of all fragments, without the init segment. */
  get fragmentsSizeBytes(): number {
    return this.#fragmentsSizeBytes;
  }

  /** Decode time of the first video sample, ticks of the video track. */
  get firstDecodeTime(): number {
    return this.video.firstDecodeTime;
  }

  /** Where the next segment's first video sample is to be decoded. */
  get endDecodeTime(): number {
    return this.video.endDecodeTime;
  }

  /** Video media time, rounded. */
  get durationMs(): number {
    return Math.round(((this.endDecodeTime - this.firstDecodeTime) * 1000) / this.init.video.timescale);
  }

  /** Average frames per second of the video, to three decimals; 0 without duration, at most 1000 as in the identity. */
  get fps(): number {
    const ticks = this.endDecodeTime - this.firstDecodeTime;
    if (ticks <= 0) return 0;
    const fps = (this.video.sampleCount * this.init.video.timescale) / ticks;
    return Math.min(1000, Math.round(fps * 1000) / 1000);
  }
}
