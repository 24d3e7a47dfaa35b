import { AppError } from "../../../common/errors.ts";
import { readBox } from "../../../common/mp4/boxes.ts";
import { type ParsedFragment, parseFragment } from "../../../common/mp4/fragment.ts";
import type { InitSegment } from "../../../common/mp4/init-segment.ts";

/** An init segment under a name of its own. */
export interface LiveMap {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A fragment as a playlist names it. */
export interface LivePart {
  /** Its media sequence number, which no other part of the camera ever has. */
  sequence: number;
  /** Discontinuities before it. */
  discontinuities: number;
  seconds: number;
  /** Wall time of its first picture, as of the hub's clock. */
  startTimeMs: number;
  startsWithKeyframe: boolean;
  map: LiveMap;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What the `moof` of a whole fragment says. Throws `corrupt_file` for anything but one `moof` and its `mdat`. */
export function parseWholeFragment(bytes: Uint8Array, init: InitSegment): ParsedFragment {
  const moof = readBox(bytes);
  const mdat = readBox(bytes, moof.end);
  if (mdat.type !== "mdat" || mdat.end !== bytes.length) {
    throw new AppError("corrupt_file", 'a fragment is not one "moof" and its "mdat"');
  }
  return parseFragment(bytes.subarray(0, moof.end), init, { start: mdat.contentStart, end: mdat.end });
}
