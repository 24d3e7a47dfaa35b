import { corrupt, readBoxes } from "../../../common/mp4/boxes.ts";
import { parseFragment, type TrackFragment } from "../../../common/mp4/fragment.ts";
import type { InitSegment } from "../../../common/mp4/init-segment.ts";

export interface Sample {
  /** In ticks of the track, on the time line of the run. */
  decodeTime: number;
  compositionTime: number;
  durationTicks: number;
  isSync: boolean;
  data: Uint8Array;
}

/** All samples of one track in a part, in decode order. */
export interface PartTrack {
  trackId: number;
  sampleDescriptionIndex: number;
  samples: Sample[];
}

export interface Part {
  /** Of its first fragment. */
  sequenceNumber: number;
  fragmentCount: number;
  /** In the order of their first samples. */
  tracks: PartTrack[];
}

/** What is in `(moof mdat)*`; the samples' data are views of `bytes`. Throws `corrupt_file` for everything else. */
export function readPart(bytes: Uint8Array, init: InitSegment): Part {
  const tracks = new Map<number, PartTrack>();
  let sequenceNumber: number | undefined;
  let fragmentCount = 0;
  let moof: { start: number; end: number } | undefined;
  for (const box of readBoxes(bytes)) {
    if (moof === undefined ? box.type !== "moof" : box.type !== "mdat") {
      throw corrupt(`a part has a box "${box.type}" that does not belong there`);
    }
    if (moof === undefined) {
      moof = box;
      continue;
    }
    const { start } = moof;
    const media = { start: box.contentStart - start, end: box.end - start };
    const fragment = parseFragment(bytes.subarray(start, moof.end), init, media);
    sequenceNumber ??= fragment.sequenceNumber;
    fragmentCount++;
    for (const run of fragment.tracks) {
      const track = tracks.get(run.trackId) ?? {
        ...{ trackId: run.trackId, sampleDescriptionIndex: run.sampleDescriptionIndex, samples: [] },
      };
      tracks.set(run.trackId, track);
      if (track.sampleDescriptionIndex !== run.sampleDescriptionIndex) {
        throw corrupt(`track ${run.trackId} changes its description in the middle of a part`);
      }
      track.samples.push(...samplesOf(bytes.subarray(start), run));
    }
    moof = undefined;
  }
  if (moof !== undefined) throw corrupt('the last fragment of a part has no "mdat"');
  return { sequenceNumber: sequenceNumber ?? 0, fragmentCount, tracks: [...tracks.values()] };
}

function* samplesOf(fragment: Uint8Array, run: TrackFragment): Generator<Sample> {
  let decodeTime = run.baseDecodeTime;
  for (let i = 0; i < run.sampleCount; i++) {
    const durationTicks = run.durations[i]!;
    const offset = run.offsets[i]!;
    yield {
      decodeTime,
      compositionTime: decodeTime + run.compositionOffsets[i]!,
      durationTicks,
      isSync: run.sync[i] === 1,
      data: fragment.subarray(offset, offset + run.sizes[i]!),
    };
    decodeTime += durationTicks;
  }
}
