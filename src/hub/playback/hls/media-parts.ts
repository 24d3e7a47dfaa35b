import { AppError } from "../../../common/errors.ts";
import type { ArchivedFile, FragmentRange } from "../../../common/mp4/archive-file.ts";
import type { ByteRange } from "../../http/range.ts";

/** How long a part is where the fragments allow it: Apple's advice for players, and what a click has to fetch at most. */
export const partSeconds = 6;

/** One archived file as a player fetches it: an init segment and parts of some fragments each, end to end in the file. */
export interface MediaParts {
  init: ByteRange;
  /** Where the first part begins in the file, in bytes. */
  firstOffset: number;
  sizesBytes: Uint32Array;
  /** In ticks of `timescale`, presentation time up to the next part or the end. */
  durationsTicks: Float64Array;
  timescale: number;
  /** From the beginning of the video to the first part; more than 0 only where its beginning is damaged. */
  leadTicks: number;
  /** Presentation time of the first and after the last part, on the time line of the run. */
  startTicks: number;
  endTicks: number;
  /** Each part can be decoded without any other. */
  areIndependent: boolean;
}

/** Parts with what a playlist says of them when it has them all. */
export interface IndexedVideo {
  parts: MediaParts;
  lines: string;
}

/**
 * Joins fragments to parts of {@link partSeconds}, each from a keyframe on; a longer fragment is a part by itself.
 * Of the whole file, or of neighbouring fragments of it. Throws `corrupt_file` where there is none.
 */
export function planParts(
  file: Pick<ArchivedFile, "initOffset" | "initSizeBytes" | "timescale" | "fragments">,
  fragments: readonly FragmentRange[] = file.fragments,
): MediaParts {
  const { timescale } = file;
  const [first, last] = [fragments[0], fragments.at(-1)];
  if (first === undefined || last === undefined)
    throw new AppError("corrupt_file", "the file has no fragment");
  const parts: { sizeBytes: number; durationTicks: number; isIndependent: boolean }[] = [];
  for (const fragment of fragments) {
    const part = parts.at(-1);
    if (part && belongsTo(part, fragment, timescale)) {
      part.sizeBytes += fragment.sizeBytes;
      part.durationTicks += fragment.durationTicks;
    } else {
      parts.push({
        sizeBytes: fragment.sizeBytes,
        durationTicks: fragment.durationTicks,
        isIndependent: fragment.startsWithKeyframe && fragment.closed,
      });
    }
  }
  return {
    init: { start: file.initOffset, end: file.initOffset + file.initSizeBytes },
    firstOffset: first.offset,
    sizesBytes: new Uint32Array(parts.map((part) => part.sizeBytes)),
    durationsTicks: new Float64Array(parts.map((part) => part.durationTicks)),
    timescale,
    leadTicks: first.startTicks - (file.fragments[0]?.startTicks ?? first.startTicks),
    startTicks: first.startTicks,
    endTicks: last.startTicks + last.durationTicks,
    areIndependent: parts.every((part) => part.isIndependent),
  };
}

/** Rounded to seconds a part is not longer than {@link partSeconds}: that is what EXT-X-TARGETDURATION compares. */
function belongsTo(part: { durationTicks: number }, fragment: FragmentRange, timescale: number): boolean {
  if (!fragment.startsWithKeyframe) return true;
  return Math.round((part.durationTicks + fragment.durationTicks) / timescale) <= partSeconds;
}
