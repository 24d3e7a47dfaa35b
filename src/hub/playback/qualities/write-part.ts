import { AppError } from "../../../common/errors.ts";
import { FieldWriter, u32s, writeBox, writeFullBox } from "../../../common/mp4/box-writer.ts";
import type { PartTrack, Sample } from "./part-samples.ts";

/** `sample_depends_on` and `sample_is_non_sync_sample` (ISO/IEC 14496-12 8.8.3.1). */
const syncFlags = 0x02000000;
const otherFlags = 0x01010000;
const baseIsMoof = 0x020000;
const hasDescription = 0x2;
/** `trun` (8.8.8): the offset of the data; duration, size, flags and composition offset of each sample. */
const runFlags = 0x000f01;

/** One `moof` and its `mdat` with the samples of each track, one track behind the other (ISO/IEC 14496-12 8.8). */
export function writePart(tracks: readonly PartTrack[], sequenceNumber: number): Uint8Array {
  const used = tracks.filter(({ samples }) => samples.length > 0);
  const sizes = used.map(({ samples }) => samples.reduce((sum, { data }) => sum + data.length, 0));
  const moofOf = (offsets: readonly number[]) =>
    writeBox(
      "moof",
      writeFullBox("mfhd", 0, 0, u32s(sequenceNumber)),
      ...used.map((track, i) => writeTrack(track, offsets[i] ?? 0)),
    );
  // As long as it will be, whatever the offsets.
  let offset = moofOf([]).length + 8;
  const offsets = sizes.map((size) => {
    offset += size;
    return offset - size;
  });
  return Buffer.concat([
    moofOf(offsets),
    writeBox("mdat", ...used.flatMap(({ samples }) => samples.map(({ data }) => data))),
  ]);
}

function writeTrack({ trackId, sampleDescriptionIndex, samples }: PartTrack, dataOffset: number): Uint8Array {
  const [first] = samples;
  if (first === undefined) throw new AppError("internal", "a track without samples");
  const run = new FieldWriter(8 + samples.length * 16).u32(samples.length).u32(dataOffset);
  samples.forEach((sample, i) => {
    run.u32(durationOf(sample, samples[i + 1])).u32(sample.data.length);
    // Version 1: signed.
    run.u32(sample.isSync ? syncFlags : otherFlags).u32((sample.compositionTime - sample.decodeTime) >>> 0);
  });
  return writeBox(
    "traf",
    writeFullBox("tfhd", 0, baseIsMoof | hasDescription, u32s(trackId, sampleDescriptionIndex)),
    writeFullBox("tfdt", 1, 0, new FieldWriter(8).u64(first.decodeTime).bytes),
    writeFullBox("trun", 1, runFlags, run.bytes),
  );
}

/** Up to the next, so that a hole between two fragments does not shift what follows it. */
function durationOf(sample: Sample, next: Sample | undefined): number {
  return next === undefined ? sample.durationTicks : Math.max(0, next.decodeTime - sample.decodeTime);
}
