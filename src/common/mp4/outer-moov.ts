import { FieldWriter, latin1, u32s, writeBox, writeFullBox } from "./box-writer.ts";
import { readBox, readBoxes, requireBox } from "./boxes.ts";
import { planEdits, type TrackEdit } from "./edit-plan.ts";
import { GrowableArray } from "./growable-array.ts";
import type { SampleTable } from "./sample-table.ts";
import type { SegmentIndex } from "./segment-index.ts";

/** Seconds from 1904-01-01, where MP4 counts from, to 1970-01-01. */
const epochSeconds = 2_082_844_800;

/** Unity matrix of `mvhd`; a rotation is in `tkhd`. */
const unityMatrix = u32s(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/**
 * The `moov` with full sample tables (ISO/IEC 14496-12 8.2 to 8.7), as if the first fragment were at byte 0 of the file:
 * see {@link placeFragments}. `createdAtMs` goes into the creation times. What comes later than `endSeconds` is in the
 * tables and not presented.
 */
export function writeOuterMoov(index: SegmentIndex, createdAtMs: number, endSeconds?: number): Uint8Array {
  const plan = planEdits(index, endSeconds);
  const created = Math.max(0, Math.floor(createdAtMs / 1000) + epochSeconds);
  const highestTrackId = Math.max(...plan.tracks.map((edit) => edit.table.track.trackId));
  // All ones means that a free one has to be searched for (8.2.2.3).
  const nextTrackId = Math.min(highestTrackId + 1, 0xffffffff);
  const mvhd = new FieldWriter(44)
    .u64(created)
    .u64(created)
    .u32(plan.movieTimescale)
    .u64(plan.duration)
    // Rate 1.0, volume 1.0, reserved.
    .u32(0x10000)
    .u16(0x100)
    .u16(0)
    .u64(0);
  return writeBox(
    "moov",
    writeFullBox("mvhd", 1, 0, mvhd.bytes, unityMatrix, u32s(0, 0, 0, 0, 0, 0, nextTrackId)),
    ...plan.tracks.map((edit) => writeTrack(edit, created)),
  );
}

/**
 * Moves the chunks of all tracks by where the first fragment starts in the file, which is known only when the `moov`
 * in front of it is written. Changes no size.
 */
export function placeFragments(moov: Uint8Array, fragmentsOffset: number): void {
  const view = new DataView(moov.buffer, moov.byteOffset, moov.byteLength);
  const by = BigInt(fragmentsOffset);
  const { contentStart } = readBox(moov);
  for (const trak of readBoxes(moov, contentStart)) {
    if (trak.type !== "trak") continue;
    const path = ["mdia", "minf", "stbl", "co64"];
    const co64 = path.reduce((box, type) => requireBox(moov, box, type), trak);
    // Version, flags and the number of entries come first.
    for (let at = co64.contentStart + 8; at < co64.end; at += 8) {
      view.setBigUint64(at, view.getBigUint64(at) + by);
    }
  }
}

function writeTrack(edit: TrackEdit, created: number): Uint8Array {
  const { track } = edit.table;
  const tkhd = new FieldWriter(32)
    .u64(created)
    .u64(created)
    .u32(track.trackId)
    .u32(0)
    .u64(edit.emptyDuration + edit.duration);
  const mdhd = new FieldWriter(32)
    .u64(created)
    .u64(created)
    .u32(track.timescale)
    .u64(edit.table.endDecodeTime - edit.table.firstDecodeTime)
    .u16(track.packedLanguage)
    .u16(0);
  const video = track.kind === "video";
  const name = latin1(video ? "livecam video\0" : "livecam audio\0");
  const hdlr = writeFullBox("hdlr", 0, 0, u32s(0), latin1(video ? "vide" : "soun"), u32s(0, 0, 0), name);
  const mediaHeader = video ? writeFullBox("vmhd", 0, 1, u32s(0, 0)) : writeFullBox("smhd", 0, 0, u32s(0));
  // Flag 1: the media is in this file.
  const dinf = writeBox("dinf", writeFullBox("dref", 0, 0, u32s(1), writeFullBox("url ", 0, 1)));
  return writeBox(
    "trak",
    // Flags: enabled, in the movie.
    writeFullBox("tkhd", 1, 3, tkhd.bytes, track.trackHeaderTail),
    writeBox("edts", writeEditList(edit)),
    writeBox(
      "mdia",
      writeFullBox("mdhd", 1, 0, mdhd.bytes),
      hdlr,
      writeBox("minf", mediaHeader, dinf, writeSampleTable(edit)),
    ),
  );
}

/** 8.6.6, version 1: an empty edit where the track starts later than the movie, then the media. */
function writeEditList(edit: TrackEdit): Uint8Array {
  const entries = edit.emptyDuration > 0 ? 2 : 1;
  const elst = new FieldWriter(4 + entries * 20).u32(entries);
  const emptyMediaTime = u32s(0xffffffff, 0xffffffff);
  if (edit.emptyDuration > 0) elst.u64(edit.emptyDuration).raw(emptyMediaTime).u32(0x10000);
  elst.u64(edit.duration).u64(edit.mediaTime).u32(0x10000);
  return writeFullBox("elst", 1, 0, elst.bytes);
}

function writeSampleTable({ table, compositionShift }: TrackEdit): Uint8Array {
  const sync = table.sync.view();
  const offsets = table.compositionOffsets.view();
  const composed = offsets[0] !== -compositionShift || !isConstant(offsets);
  return writeBox(
    "stbl",
    table.track.sampleDescription,
    writeFullBox("stts", 0, 0, runLengths(table.durations.view(), 0)),
    ...(composed ? [writeFullBox("ctts", 0, 0, runLengths(offsets, compositionShift))] : []),
    ...(sync.includes(0) ? [writeFullBox("stss", 0, 0, syncSamples(sync))] : []),
    writeSampleToChunk(table),
    writeSampleSizes(table.sizes.view()),
    writeChunkOffsets(table),
  );
}

/** Pairs of count and value, as in `stts` (8.6.1.2) and `ctts` (8.6.1.3). `shift` makes all values fit into 32 bits. */
function runLengths(values: Uint32Array | Int32Array, shift: number): Uint8Array {
  const pairs = new GrowableArray((length) => new Uint32Array(length));
  const add = (first: number, end: number) => {
    pairs.push(end - first);
    pairs.push(values[first]! + shift);
  };
  let first = 0;
  if (!isConstant(values)) {
    for (let i = 1; i < values.length; i++) {
      if (values[i] === values[first]) continue;
      add(first, i);
      first = i;
    }
  }
  if (values.length > 0) add(first, values.length);
  const writer = new FieldWriter(4 + pairs.length * 4).u32(pairs.length / 2);
  return writer.u32Array(pairs.view()).bytes;
}

/** Compared with itself, one value on: a loop over an hour takes longer than all else in a hub just started. */
function isConstant(values: Uint32Array | Int32Array): boolean {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return values.length < 2 || Buffer.compare(bytes.subarray(4), bytes.subarray(0, -4)) === 0;
}

/** Numbers of the sync samples from 1 on, for `stss` (8.6.2). */
function syncSamples(sync: Uint8Array): Uint8Array {
  const numbers = new GrowableArray((length) => new Uint32Array(length));
  for (let i = sync.indexOf(1); i !== -1; i = sync.indexOf(1, i + 1)) numbers.push(i + 1);
  const writer = new FieldWriter(4 + numbers.length * 4).u32(numbers.length);
  return writer.u32Array(numbers.view()).bytes;
}

/** `stsc` (8.7.4): one entry for each run of chunks that are alike. */
function writeSampleToChunk(table: SampleTable): Uint8Array {
  const counts = table.chunkSampleCounts.view();
  const descriptions = table.chunkDescriptions.view();
  const firsts: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    if (i === 0 || counts[i] !== counts[i - 1] || descriptions[i] !== descriptions[i - 1]) firsts.push(i);
  }
  const writer = new FieldWriter(4 + firsts.length * 12).u32(firsts.length);
  for (const i of firsts) {
    writer
      .u32(i + 1)
      .u32(counts[i]!)
      .u32(descriptions[i]!);
  }
  return writeFullBox("stsc", 0, 0, writer.bytes);
}

/** `stsz` (8.7.3). */
function writeSampleSizes(sizes: Uint32Array): Uint8Array {
  if (isConstant(sizes)) return writeFullBox("stsz", 0, 0, u32s(sizes[0]!, sizes.length));
  const writer = new FieldWriter(8 + sizes.length * 4).u32(0).u32(sizes.length);
  writer.u32Array(sizes);
  return writeFullBox("stsz", 0, 0, writer.bytes);
}

/** `co64` (8.7.5). */
function writeChunkOffsets(table: SampleTable): Uint8Array {
  const offsets = table.chunkOffsets.view();
  const writer = new FieldWriter(4 + offsets.length * 8).u32(offsets.length);
  for (const offset of offsets) writer.u64(offset);
  return writeFullBox("co64", 0, 0, writer.bytes);
}
