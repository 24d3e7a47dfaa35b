import { formatWireTime } from "../../../common/protocol/wire.ts";
import type { LivePart } from "./live-part.ts";

/**
 * A playlist that slides over the newest parts (RFC 8216bis section 4). Parts of one run follow each other without a
 * hole; where they do not, there is a discontinuity.
 */
export function formatLivePlaylist(playlist: {
  cameraId: string;
  /** At least one, the oldest first. */
  parts: readonly LivePart[];
  targetSeconds: number;
}): string {
  const { cameraId, parts, targetSeconds } = playlist;
  const [first] = parts;
  if (first === undefined) throw new RangeError("a playlist without parts");
  const path = `/api/cameras/${cameraId}/live`;
  const text = [
    "#EXTM3U\n#EXT-X-VERSION:6\n",
    `#EXT-X-TARGETDURATION:${targetSeconds}\n`,
    `#EXT-X-MEDIA-SEQUENCE:${first.sequence}\n`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${first.discontinuities}\n`,
    parts.every((part) => part.startsWithKeyframe) ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "",
  ];
  let before: LivePart | undefined;
  for (const part of parts) {
    const isDiscontinuous = before !== undefined && before.discontinuities !== part.discontinuities;
    if (isDiscontinuous) text.push("#EXT-X-DISCONTINUITY\n");
    if (isDiscontinuous || before === undefined) {
      text.push(`#EXT-X-MAP:URI="${path}/${part.map.name}"\n`);
      text.push(`#EXT-X-PROGRAM-DATE-TIME:${formatWireTime(Math.round(part.startTimeMs))}\n`);
    }
    text.push(`#EXTINF:${part.seconds.toFixed(6)},\n${path}/${part.sequence}.m4s\n`);
    before = part;
  }
  return text.join("");
}
