import type { FragmentRange } from "../../../common/mp4/archive-file.ts";
import { corrupt, maxBoxHeaderBytes, parseBoxHeader } from "../../../common/mp4/boxes.ts";
import { parseFragment } from "../../../common/mp4/fragment.ts";
import type { InitSegment } from "../../../common/mp4/init-segment.ts";
import type { MediaSource } from "../media-source.ts";

export interface Keyframe {
  bytes: Uint8Array;
  sampleDescriptionIndex: number;
  /** Of the fragment up to its end: what a read of the next one had better begin with. */
  reachBytes: number;
}

/** One picture of 8K at the best quality. More is none of ours. */
const maxKeyframeBytes = 32 * 1024 * 1024;
const maxMoofBytes = 8 * 1024 * 1024;

/**
 * The first picture of a fragment, and as little else as can be: the `moof` says how long it is. `guessBytes` are read
 * at once; when that is enough it was the only read. Throws `corrupt_file`, and what the {@link MediaSource} throws.
 */
export async function readKeyframe(
  media: Pick<MediaSource, "readRange">,
  source: { filePath: string; init: InitSegment; fragment: FragmentRange; guessBytes: number },
): Promise<Keyframe> {
  const { filePath, init, fragment, guessBytes } = source;
  let known: Uint8Array = new Uint8Array(0);
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    if (end > fragment.sizeBytes) throw corrupt(`a fragment of ${filePath} is larger than the index says`);
    if (end > known.length) {
      const upTo = Math.min(fragment.sizeBytes, Math.max(end, guessBytes));
      const range = { start: fragment.offset + known.length, end: fragment.offset + upTo };
      known = Buffer.concat([known, await media.readRange(filePath, range)]);
    }
    return known.subarray(start, end);
  };

  // What begins with sound alone is one fragment with what follows, see planSubsegments.
  for (let start = 0; ; ) {
    const moof = parseBoxHeader(await read(start, start + maxBoxHeaderBytes));
    if (moof?.type !== "moof" || moof.sizeBytes === undefined || moof.sizeBytes > maxMoofBytes) {
      throw corrupt(`no fragment begins at byte ${fragment.offset + start} of ${filePath}`);
    }
    const mdatStart = start + moof.sizeBytes;
    const mdat = parseBoxHeader(await read(mdatStart, mdatStart + maxBoxHeaderBytes));
    if (mdat?.type !== "mdat" || mdat.sizeBytes === undefined) {
      throw corrupt(`a fragment of ${filePath} has no media data`);
    }
    const parsed = parseFragment(await read(start, mdatStart), init, {
      start: moof.sizeBytes + mdat.headerSizeBytes,
      end: moof.sizeBytes + mdat.sizeBytes,
    });
    const video = parsed.tracks.find(({ trackId }) => trackId === init.video.trackId);
    if (video === undefined) {
      start += parsed.sizeBytes;
      continue;
    }
    const [offset = 0, sizeBytes = 0] = [video.offsets[0], video.sizes[0]];
    if (sizeBytes > maxKeyframeBytes) throw corrupt(`a picture of ${filePath} has ${sizeBytes} bytes`);
    const reachBytes = start + offset + sizeBytes;
    const bytes = await read(start + offset, reachBytes);
    return { bytes, sampleDescriptionIndex: video.sampleDescriptionIndex, reachBytes };
  }
}
