import type { Fragment } from "./fragment.ts";
import type { InitSegment } from "./init-segment.ts";

/**
 * Whether the first video sample of the fragment holds a picture that decoding can start at, by its NAL units and
 * not by the flags of the container: some cameras and muxers flag wrongly. H.264: IDR (type 5); H.265: IRAP
 * (types 16 to 21). For other codecs, what the flags say.
 */
export function looksLikeKeyframe(_fragment: Fragment, _init: InitSegment): boolean {
  throw new Error("not implemented");
}
