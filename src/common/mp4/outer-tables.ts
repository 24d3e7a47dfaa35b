import { type Box, corrupt, findBox, readBoxes, requireBox } from "./boxes.ts";
import { ByteCursor } from "./byte-cursor.ts";

/** One sample as the tables of an ordinary MP4 have it. */
export interface OuterSample {
  offset: number;
  sizeBytes: number;
  durationTicks: number;
  compositionOffset: number;
  sync: boolean;
}

/** One track of an ordinary `moov`. The tables are read as they are asked for, never expanded in memory. */
export interface OuterTrack {
  trackId: number;
  timescale: number;
  sampleCount: number;
  /** Seconds from the start of the movie at which composition time 0 would be presented. */
  presentationShift: number;
  /** In decode order; throws `corrupt_file` where the tables contradict each other. */
  samples(): Generator<OuterSample>;
}

/** As many as an init segment may have. */
const maxTracks = 16;

/** Reads the tables of a whole `moov` box (ISO/IEC 14496-12 8.6, 8.7). Throws `corrupt_file`. */
export function readOuterTracks(bytes: Uint8Array, moov: Box): OuterTrack[] {
  const mvhd = ByteCursor.ofBox(bytes, requireBox(bytes, moov, "mvhd"));
  const movieTimescale = timescaleOf(mvhd);
  const tracks: OuterTrack[] = [];
  for (const box of readBoxes(bytes, moov.contentStart, moov.end)) {
    if (box.type !== "trak") continue;
    if (tracks.push(readTrack(bytes, box, movieTimescale)) > maxTracks)
      throw corrupt("the index has too many tracks");
  }
  return tracks;
}

function timescaleOf(header: ByteCursor): number {
  header.skip(header.fullBox().version === 1 ? 16 : 8);
  const timescale = header.u32();
  if (timescale === 0) throw corrupt("a time scale is 0");
  return timescale;
}

function readTrack(bytes: Uint8Array, trak: Box, movieTimescale: number): OuterTrack {
  const tkhd = ByteCursor.ofBox(bytes, requireBox(bytes, trak, "tkhd"));
  tkhd.skip(tkhd.fullBox().version === 1 ? 16 : 8);
  const trackId = tkhd.u32();
  const mdia = requireBox(bytes, trak, "mdia");
  const timescale = timescaleOf(ByteCursor.ofBox(bytes, requireBox(bytes, mdia, "mdhd")));
  const stbl = requireBox(bytes, requireBox(bytes, mdia, "minf"), "stbl");
  const stsz = ByteCursor.ofBox(bytes, requireBox(bytes, stbl, "stsz"), 4);
  const commonSize = stsz.u32();
  const sampleCount = stsz.u32();
  if (commonSize === 0 && stsz.remaining !== sampleCount * 4) throw corrupt('"stsz" has the wrong length');
  return {
    trackId,
    timescale,
    sampleCount,
    presentationShift: readPresentationShift(bytes, trak, timescale, movieTimescale),
    *samples() {
      const sizes = new ByteCursor(bytes, stsz.offset, stsz.end);
      const durations = runLengths(bytes, requireBox(bytes, stbl, "stts"));
      const ctts = findBox(bytes, stbl, "ctts");
      const compositions = ctts && runLengths(bytes, ctts);
      const sync = syncNumbers(bytes, findBox(bytes, stbl, "stss"));
      const chunks = chunkRuns(bytes, stbl);
      let chunk = { offset: 0, samples: 0 };
      let nextSync = sync?.next().value;
      for (let number = 1; number <= sampleCount; number++) {
        while (chunk.samples === 0) chunk = required(chunks.next().value, "stsc");
        const sizeBytes = commonSize || sizes.u32();
        const isSync = sync === undefined || nextSync === number;
        if (isSync) nextSync = sync?.next().value;
        yield {
          offset: chunk.offset,
          sizeBytes,
          durationTicks: required(durations.next().value, "stts"),
          compositionOffset: compositions ? required(compositions.next().value, "ctts") : 0,
          sync: isSync,
        };
        chunk.offset += sizeBytes;
        chunk.samples--;
      }
      if (chunk.samples > 0 || !chunks.next().done)
        throw corrupt("the chunks hold more samples than there are");
      if (!durations.next().done) throw corrupt('"stts" counts more samples than there are');
      if (compositions && !compositions.next().done)
        throw corrupt('"ctts" counts more samples than there are');
      if (nextSync !== undefined) throw corrupt('"stss" names a sample that is not there');
    },
  };
}

function required<T>(value: T | undefined, table: string): T {
  if (value === undefined) throw corrupt(`"${table}" covers fewer samples than there are`);
  return value;
}

/** The values of `stts` or `ctts`, one per sample. */
function* runLengths(bytes: Uint8Array, box: Box): Generator<number, undefined> {
  const cursor = ByteCursor.ofBox(bytes, box);
  const { version } = cursor.fullBox();
  const entries = cursor.u32();
  for (let entry = 0; entry < entries; entry++) {
    const count = cursor.u32();
    const value = version === 0 ? cursor.u32() : cursor.i32();
    for (let i = 0; i < count; i++) yield value;
  }
}

function syncNumbers(bytes: Uint8Array, box: Box | undefined): Generator<number, undefined> | undefined {
  if (box === undefined) return undefined;
  return (function* (): Generator<number, undefined> {
    const cursor = ByteCursor.ofBox(bytes, box, 4);
    const entries = cursor.u32();
    for (let entry = 0; entry < entries; entry++) yield cursor.u32();
  })();
}

/** Offset and number of samples of each chunk, from `stsc` and `co64`. */
function* chunkRuns(bytes: Uint8Array, stbl: Box): Generator<{ offset: number; samples: number }, undefined> {
  const stsc = ByteCursor.ofBox(bytes, requireBox(bytes, stbl, "stsc"), 4);
  const entries = stsc.u32();
  const co64 = ByteCursor.ofBox(bytes, requireBox(bytes, stbl, "co64"), 4);
  const chunks = co64.u32();
  let samples = 0;
  let seen = 0;
  let nextFirst = entries > 0 ? stsc.u32() : Number.POSITIVE_INFINITY;
  for (let chunk = 1; chunk <= chunks; chunk++) {
    if (chunk === nextFirst) {
      samples = stsc.u32();
      if (samples === 0) throw corrupt('"stsc" has chunks without samples');
      stsc.skip(4);
      seen++;
      nextFirst = seen < entries ? stsc.u32() : Number.POSITIVE_INFINITY;
    }
    yield { offset: co64.u64(), samples };
  }
  if (seen !== entries) throw corrupt('"stsc" names chunks that are not there');
}

/** An optional empty edit and one of media, as livecam writes them (8.6.6). */
function readPresentationShift(
  bytes: Uint8Array,
  trak: Box,
  timescale: number,
  movieTimescale: number,
): number {
  const elst = requireBox(bytes, requireBox(bytes, trak, "edts"), "elst");
  const cursor = ByteCursor.ofBox(bytes, elst);
  const { version } = cursor.fullBox();
  let shift = 0;
  for (let entries = cursor.u32(); entries > 0; entries--) {
    const duration = version === 1 ? cursor.u64() : cursor.u32();
    const mediaTime = version === 1 ? cursor.i64() : cursor.i32();
    cursor.skip(4);
    if (mediaTime >= 0) return shift - mediaTime / timescale;
    shift += duration / movieTimescale;
  }
  throw corrupt("an edit list presents nothing");
}
