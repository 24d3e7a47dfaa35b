import type { Fragment } from "./fragment.ts";
import type { InitSegment } from "./init-segment.ts";

/** Where the NAL units of one sample lie (ISO/IEC 14496-15 4.3.3: each behind its length). */
export interface NalUnit {
  start: number;
  end: number;
}

/**
 * The NAL units between `start` and `end`; the last one given is `undefined` when a length does not fit, which
 * means that the sample is damaged.
 */
export function* nalUnits(
  bytes: Uint8Array,
  start: number,
  end: number,
  lengthBytes: number,
): Generator<NalUnit | undefined> {
  for (let offset = start; offset < end; ) {
    const unitStart = offset + lengthBytes;
    if (unitStart > end) return yield undefined;
    let length = 0;
    for (let i = offset; i < unitStart; i++) length = length * 256 + bytes[i]!;
    if (length === 0 || unitStart + length > end) return yield undefined;
    yield { start: unitStart, end: unitStart + length };
    offset = unitStart + length;
  }
}

/**
 * Whether the first video sample of the fragment holds a picture that decoding can start at, by its NAL units and
 * not by the flags of the container: some cameras and muxers flag wrongly. H.264: IDR (type 5, ITU-T H.264 table
 * 7-1); H.265: IRAP (types 16 to 21, ITU-T H.265 table 7-1). For other codecs, what the flags say.
 */
export function looksLikeKeyframe(fragment: Fragment, init: InitSegment): boolean {
  const video = fragment.tracks.find((track) => track.trackId === init.video.trackId);
  if (video === undefined) return false;
  const { codec, nalLengthBytes } = init.video;
  if (nalLengthBytes === 0) return fragment.startsWithKeyframe;
  const start = video.offsets[0]!;
  const isAvc = codec.startsWith("avc");
  for (const unit of nalUnits(fragment.bytes, start, start + video.sizes[0]!, nalLengthBytes)) {
    if (unit === undefined) return false;
    const header = fragment.bytes[unit.start]!;
    const type = isAvc ? header & 0x1f : (header >> 1) & 0x3f;
    if (isAvc ? type === 5 : type >= 16 && type <= 21) return true;
  }
  return false;
}

/**
 * Whether every sample of the fragment was written: finds what a power cut left as zeros, by what no encoder makes.
 * NAL units fill their sample exactly and do not end in zeros (ITU-T H.264 7.4.1, H.265 7.4.2), an AAC frame is
 * never all zeros. Does not find a bit that changed inside a picture: that takes the hash.
 */
export function hasWholeSamples(fragment: Fragment, init: InitSegment): boolean {
  const { video } = init;
  return fragment.tracks.every((samples) => {
    const track = init.tracks.find((candidate) => candidate.trackId === samples.trackId);
    for (let i = 0; i < samples.sampleCount; i++) {
      const start = samples.offsets[i]!;
      const end = start + samples.sizes[i]!;
      if (track === video && video.nalLengthBytes > 0) {
        if (isZero(fragment.bytes, Math.max(start, end - zeroTailBytes), end)) return false;
        for (const unit of nalUnits(fragment.bytes, start, end, video.nalLengthBytes)) {
          if (unit === undefined) return false;
        }
      } else if (track?.codec.startsWith("mp4a") && isZero(fragment.bytes, start, end)) return false;
    }
    return true;
  });
}

/** Some encoders pad a picture with a few zeros. */
const zeroTailBytes = 64;

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
