import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import { nalUnits } from "../../common/mp4/nal-units.ts";

/**
 * The sequence parameter set that the first picture of a fragment brings with it (ITU-T H.264 NAL unit type 7, H.265
 * type 33), as a copy; undefined where it brings none. Resolution, profile and level stand in it, and when it
 * changes, the init segment no longer describes what follows.
 */
export function sequenceParametersOf(fragment: Fragment, init: InitSegment): Uint8Array | undefined {
  const { trackId, codec, nalLengthBytes } = init.video;
  const track = fragment.tracks.find((candidate) => candidate.trackId === trackId);
  if (!track || nalLengthBytes === 0) return undefined;
  const isAvc = codec.startsWith("avc");
  const start = track.offsets[0] ?? 0;
  for (const unit of nalUnits(fragment.bytes, start, start + (track.sizes[0] ?? 0), nalLengthBytes)) {
    if (unit === undefined) return undefined;
    const header = fragment.bytes[unit.start] ?? 0;
    if (isAvc ? (header & 0x1f) === 7 : ((header >> 1) & 0x3f) === 33) {
      return fragment.bytes.slice(unit.start, unit.end);
    }
    // Parameter sets stand before the picture they are for.
    if (isAvc ? (header & 0x1f) <= 5 : ((header >> 1) & 0x3f) < 32) return undefined;
  }
  return undefined;
}
