import { type Box, corrupt, findBox, readBox, readBoxes, requireBox } from "../../common/mp4/boxes.ts";
import { ByteCursor } from "../../common/mp4/byte-cursor.ts";

/** The samples of one track of an archived file as its outer index has them, in decode order; one entry per sample. */
export interface SampleColumns {
  trackId: number;
  timescale: number;
  sampleCount: number;
  durations: Uint32Array;
  sizes: Uint32Array;
  /** Composition minus decode time, in ticks. */
  compositionOffsets: Int32Array;
  /** 1 for a sync sample. */
  sync: Uint8Array;
  /** From the start of the file. */
  offsets: Float64Array;
  descriptions: Uint32Array;
  /** Seconds from the start of the movie at which the first sample would be decoded; negative for AAC priming. */
  decodeStartSeconds: number;
}

/** As many as an init segment may have. */
const maxTracks = 16;
/** Far more than an hour, the longest segment, can have; bounds the memory that a hostile file can take. */
const maxSamples = 4_000_000;

/**
 * Reads the tables of the outer `moov` (ISO/IEC 14496-12 8.6, 8.7) from the front of an archived file, all at once:
 * 25 bytes per sample. Throws `corrupt_file` where the tables contradict each other.
 */
export function readSampleColumns(front: Uint8Array): SampleColumns[] {
  let moov: Box | undefined;
  for (let offset = 0; moov === undefined; ) {
    const box = readBox(front, offset);
    if (box.type === "moov") moov = box;
    else if (box.type === "mdat") throw corrupt('the media data comes before the index ("moov")');
    offset = box.end;
  }
  const mvhd = ByteCursor.ofBox(front, requireBox(front, moov, "mvhd"));
  const movieTimescale = readTimescale(mvhd);
  const tracks: SampleColumns[] = [];
  let samples = 0;
  for (const trak of readBoxes(front, moov.contentStart, moov.end)) {
    if (trak.type !== "trak") continue;
    const track = readTrack(front, trak, movieTimescale, maxSamples - samples);
    samples += track.sampleCount;
    if (tracks.push(track) > maxTracks) throw corrupt("the index has too many tracks");
  }
  return tracks;
}

function readTimescale(header: ByteCursor): number {
  header.skip(header.fullBox().version === 1 ? 16 : 8);
  const timescale = header.u32();
  if (timescale === 0) throw corrupt("a time scale is 0");
  return timescale;
}

function readTrack(bytes: Uint8Array, trak: Box, movieTimescale: number, maxCount: number): SampleColumns {
  const tkhd = ByteCursor.ofBox(bytes, requireBox(bytes, trak, "tkhd"));
  tkhd.skip(tkhd.fullBox().version === 1 ? 16 : 8);
  const trackId = tkhd.u32();
  const mdia = requireBox(bytes, trak, "mdia");
  const timescale = readTimescale(ByteCursor.ofBox(bytes, requireBox(bytes, mdia, "mdhd")));
  const stbl = requireBox(bytes, requireBox(bytes, mdia, "minf"), "stbl");
  const sizes = readSizes(ByteCursor.ofBox(bytes, requireBox(bytes, stbl, "stsz")), maxCount);
  const sampleCount = sizes.length;
  const ctts = findBox(bytes, stbl, "ctts");
  const compositionOffsets = new Int32Array(sampleCount);
  if (ctts) fillRuns(bytes, ctts, compositionOffsets);
  const durations = new Uint32Array(sampleCount);
  fillRuns(bytes, requireBox(bytes, stbl, "stts"), durations);
  return {
    ...{ trackId, timescale, sampleCount, durations, sizes, compositionOffsets },
    sync: readSync(bytes, findBox(bytes, stbl, "stss"), sampleCount),
    ...readChunks(bytes, stbl, sizes),
    decodeStartSeconds: readDecodeStart(bytes, trak, timescale, movieTimescale),
  };
}

function readSizes(stsz: ByteCursor, maxCount: number): Uint32Array {
  stsz.skip(4);
  const commonSize = stsz.u32();
  const count = stsz.u32();
  if (count > maxCount) throw corrupt(`the index has more than ${maxSamples} samples`);
  if (commonSize !== 0) return new Uint32Array(count).fill(commonSize);
  if (stsz.remaining !== count * 4) throw corrupt('"stsz" has the wrong length');
  return stsz.u32s(count);
}

/** The values of `stts` or `ctts`, which must be for exactly as many samples as there are. */
function fillRuns(bytes: Uint8Array, box: Box, values: Uint32Array | Int32Array): void {
  const cursor = ByteCursor.ofBox(bytes, box);
  const { version } = cursor.fullBox();
  let filled = 0;
  for (let entries = cursor.u32(); entries > 0; entries--) {
    const count = cursor.u32();
    const value = version === 0 ? cursor.u32() : cursor.i32();
    if (filled + count > values.length) throw corrupt(`"${box.type}" counts more samples than there are`);
    values.fill(value, filled, filled + count);
    filled += count;
  }
  if (filled !== values.length) throw corrupt(`"${box.type}" covers fewer samples than there are`);
}

/** Every sample is a sync sample where there is no `stss`. */
function readSync(bytes: Uint8Array, stss: Box | undefined, sampleCount: number): Uint8Array {
  if (stss === undefined) return new Uint8Array(sampleCount).fill(1);
  const sync = new Uint8Array(sampleCount);
  const cursor = ByteCursor.ofBox(bytes, stss, 4);
  for (let entries = cursor.u32(); entries > 0; entries--) {
    const number = cursor.u32();
    if (number < 1 || number > sampleCount) throw corrupt('"stss" names a sample that is not there');
    sync[number - 1] = 1;
  }
  return sync;
}

/** Where each sample lies, from `stsc` and `co64`. */
function readChunks(
  bytes: Uint8Array,
  stbl: Box,
  sizes: Uint32Array,
): Pick<SampleColumns, "offsets" | "descriptions"> {
  const offsets = new Float64Array(sizes.length);
  const descriptions = new Uint32Array(sizes.length);
  const stsc = ByteCursor.ofBox(bytes, requireBox(bytes, stbl, "stsc"), 4);
  const entries = stsc.u32();
  const co64 = ByteCursor.ofBox(bytes, requireBox(bytes, stbl, "co64"), 4);
  const chunks = co64.u32();
  let seen = 0;
  let nextFirst = entries > 0 ? stsc.u32() : Number.POSITIVE_INFINITY;
  let perChunk = 0;
  let description = 1;
  let sample = 0;
  for (let chunk = 1; chunk <= chunks; chunk++) {
    if (chunk === nextFirst) {
      perChunk = stsc.u32();
      description = stsc.u32();
      nextFirst = ++seen < entries ? stsc.u32() : Number.POSITIVE_INFINITY;
    }
    if (perChunk === 0 || sample + perChunk > sizes.length)
      throw corrupt("the chunks hold other samples than there are");
    let offset = co64.u64();
    for (const end = sample + perChunk; sample < end; sample++) {
      offsets[sample] = offset;
      descriptions[sample] = description;
      offset += sizes[sample]!;
    }
  }
  if (sample !== sizes.length || seen !== entries)
    throw corrupt("the chunks hold other samples than there are");
  return { offsets, descriptions };
}

/** An optional empty edit and one of media, as livecam writes them (8.6.6). */
function readDecodeStart(bytes: Uint8Array, trak: Box, timescale: number, movieTimescale: number): number {
  const elst = requireBox(bytes, requireBox(bytes, trak, "edts"), "elst");
  const cursor = ByteCursor.ofBox(bytes, elst);
  const { version } = cursor.fullBox();
  let seconds = 0;
  for (let entries = cursor.u32(); entries > 0; entries--) {
    const duration = version === 1 ? cursor.u64() : cursor.u32();
    const mediaTime = version === 1 ? cursor.i64() : cursor.i32();
    cursor.skip(4);
    if (mediaTime >= 0) return seconds - mediaTime / timescale;
    seconds += duration / movieTimescale;
  }
  throw corrupt("an edit list presents nothing");
}
