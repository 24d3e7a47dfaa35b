/** One audio or video track of a stream, as its init segment describes it. */
export interface Track {
  trackId: number;
  kind: "video" | "audio";
  /** Ticks per second of every time of this track. */
  timescale: number;
  /** RFC 6381: `avc1.64001f`, `hvc1.1.6.L93.B0`, `mp4a.40.2`. */
  codec: string;
  /** Pixels as coded; 0 for audio. */
  width: number;
  height: number;
  /** The whole `stsd` box. */
  sampleDescription: Uint8Array;
  /** The part of `tkhd` after the duration (60 bytes: layer, volume, rotation matrix, width, height). */
  trackHeaderTail: Uint8Array;
  /** ISO 639-2/T, `und` when unknown. */
  language: string;
  /** What a sample has when its fragment does not say otherwise (`trex`). */
  sampleDefaults: SampleDefaults;
  /** Composition time at which the presentation starts (`elst` media_time), in ticks of the track; 0 without one. */
  mediaTime: number;
  /** Length of the empty edit before that, in ticks of the movie; 0 without one. */
  emptyEditDuration: number;
}

export interface SampleDefaults {
  sampleDescriptionIndex: number;
  durationTicks: number;
  sizeBytes: number;
  flags: number;
}

/** `ftyp` + `moov` of a fragmented stream. */
export interface InitSegment {
  bytes: Uint8Array;
  movieTimescale: number;
  /** Audio and video tracks in file order; others (text, timecode) are left out. */
  tracks: readonly Track[];
  /** The first video track. */
  video: Track;
  /** The first audio track. */
  audio?: Track;
}

/** Throws `corrupt_file` for anything that is not an `ftyp` and a `moov` with a video track and an `mvex`. */
export function parseInitSegment(_bytes: Uint8Array): InitSegment {
  throw new Error("not implemented");
}
