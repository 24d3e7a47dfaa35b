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

/**
 * A fragment from each keyframe of the first track on, `most` at most: a player that loses its place loses no more than
 * one. What was recorded beside its pictures is in the same one. `timescales` by track id.
 */
export function writeFragments(
  tracks: readonly PartTrack[],
  options: { sequenceNumber: number; most: number; timescales: ReadonlyMap<number, number> },
): Uint8Array {
  const { sequenceNumber, most, timescales } = options;
  const secondsOf = ({ trackId }: PartTrack, time: number) => time / (timescales.get(trackId) ?? 1);
  const [video] = tracks;
  const starts = video?.samples.flatMap(({ isSync, decodeTime }) =>
    isSync ? [secondsOf(video, decodeTime)] : [],
  );
  const inner = (starts ?? []).slice(1, most);
  const lasting = tracks.map((track) => ({ ...track, samples: untilNext(track.samples) }));
  const fragments = [Number.NEGATIVE_INFINITY, ...inner].map((start, i) => {
    const end = inner[i] ?? Number.POSITIVE_INFINITY;
    return lasting.map((track) => {
      const isHere = ({ decodeTime }: Sample) =>
        secondsOf(track, decodeTime) >= start && secondsOf(track, decodeTime) < end;
      return { ...track, samples: track.samples.filter(isHere) };
    });
  });
  return Buffer.concat(fragments.map((own, i) => writePart(own, sequenceNumber + i)));
}

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
  for (const sample of untilNext(samples)) {
    run.u32(sample.durationTicks).u32(sample.data.length);
    // Version 1: signed.
    run.u32(sample.isSync ? syncFlags : otherFlags).u32((sample.compositionTime - sample.decodeTime) >>> 0);
  }
  return writeBox(
    "traf",
    writeFullBox("tfhd", 0, baseIsMoof | hasDescription, u32s(trackId, sampleDescriptionIndex)),
    writeFullBox("tfdt", 1, 0, new FieldWriter(8).u64(first.decodeTime).bytes),
    writeFullBox("trun", 1, runFlags, run.bytes),
  );
}

/** Each lasts up to the next, so that a hole between two fragments does not shift what follows it. */
function untilNext(samples: readonly Sample[]): Sample[] {
  return samples.map((sample, i) => {
    const next = samples[i + 1];
    return next ? { ...sample, durationTicks: Math.max(0, next.decodeTime - sample.decodeTime) } : sample;
  });
}
