import { formatWireTime } from "../../../common/protocol/wire.ts";
import { pictureOf, type Quality } from "../qualities/quality.ts";
import type { MediaParts } from "./media-parts.ts";
import type { PlaylistEntry, PlaylistGap, PlaylistVideo } from "./plan-playlist.ts";

export interface Playlist {
  entries: readonly PlaylistEntry[];
  /** Undefined: as it was recorded. */
  quality?: Quality | undefined;
  gaps: readonly PlaylistGap[];
  /** Nothing will be added (VOD); else the playlist grows at its end (EVENT). */
  isEnded: boolean;
  /** No part is longer, rounded to seconds. */
  targetSeconds: number;
  /** Where a player begins, in seconds from the first part; undefined leaves it to the player. */
  startSeconds?: number | undefined;
}

/** A media playlist as RFC 8216bis section 4 has it. Version 6 is the first that knows EXT-X-MAP beside ordinary parts. */
export function formatPlaylist(playlist: Playlist): string {
  const { entries, quality, gaps, isEnded, targetSeconds, startSeconds } = playlist;
  const text = [
    "#EXTM3U\n#EXT-X-VERSION:6\n",
    `#EXT-X-TARGETDURATION:${targetSeconds}\n`,
    `#EXT-X-PLAYLIST-TYPE:${isEnded ? "VOD" : "EVENT"}\n`,
    areIndependentIn(entries, quality) ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "",
    startSeconds === undefined ? "" : `#EXT-X-START:TIME-OFFSET=${startSeconds.toFixed(3)},PRECISE=YES\n`,
    ...gaps.map(formatGap),
  ];
  entries.forEach((entry, i) => {
    const { video, parts, firstPart, endPart, startTimeMs } = entry;
    const other = quality !== undefined && pictureOf(video, quality) !== undefined ? quality : undefined;
    if (entry.isDiscontinuous) text.push("#EXT-X-DISCONTINUITY\n");
    if (i === 0 || entry.isDiscontinuous) text.push(formatMap(video, parts, other));
    text.push(`#EXT-X-PROGRAM-DATE-TIME:${formatWireTime(Math.round(startTimeMs))}\n`);
    const isWhole = firstPart === 0 && endPart === parts.sizesBytes.length;
    if (other !== undefined) text.push(formatOtherParts(entry, other));
    else text.push(isWhole ? entry.lines : formatParts(uriOf(video), parts, firstPart, endPart));
  });
  if (isEnded) text.push("#EXT-X-ENDLIST\n");
  return text.join("");
}

/** The lines of parts [first, end) of a video: a pure function of it, so that they can be kept. */
export function formatParts(
  uri: string,
  parts: MediaParts,
  first = 0,
  end = parts.sizesBytes.length,
): string {
  const { sizesBytes, durationsTicks, timescale } = parts;
  let offset = parts.firstOffset;
  let text = "";
  for (let i = 0; i < end; i++) {
    const sizeBytes = sizesBytes[i] ?? 0;
    if (i >= first) {
      const seconds = ((durationsTicks[i] ?? 0) / timescale).toFixed(6);
      text += `#EXTINF:${seconds},\n#EXT-X-BYTERANGE:${sizeBytes}@${offset}\n${uri}\n`;
    }
    offset += sizeBytes;
  }
  return text;
}

/** The same parts, transcoded: each a file by itself, named by the bytes it is made of. */
function formatOtherParts({ video, parts, firstPart, endPart }: PlaylistEntry, quality: Quality): string {
  let text = "";
  let start = parts.firstOffset;
  for (let i = 0; i < endPart; i++) {
    const end = start + (parts.sizesBytes[i] ?? 0);
    const seconds = ((parts.durationsTicks[i] ?? 0) / parts.timescale).toFixed(6);
    if (i >= firstPart) {
      text += `#EXTINF:${seconds},\n/api/videos/${video.videoId}/parts/${start}-${end}/${quality}.mp4\n`;
    }
    start = end;
  }
  return text;
}

/** Every part can be decoded without any other; one that is transcoded always can. */
export function areIndependentIn(entries: readonly PlaylistEntry[], quality: Quality | undefined): boolean {
  return entries.every(
    ({ parts, video }) =>
      parts.areIndependent || (quality !== undefined && pictureOf(video, quality) !== undefined),
  );
}

/**
 * Whole seconds that EXT-X-TARGETDURATION has to be at least. Rounded up, though the standard compares what is rounded to
 * the nearest: GStreamer compares the seconds as they are.
 */
export function longestPartSeconds(entries: readonly PlaylistEntry[]): number {
  let longest = 0;
  for (const { parts, firstPart, endPart } of entries) {
    for (let i = firstPart; i < endPart; i++) {
      longest = Math.max(longest, (parts.durationsTicks[i] ?? 0) / parts.timescale);
    }
  }
  // Not for a tick more: the parts of most cameras are of whole seconds.
  return Math.ceil(longest - 0.001);
}

function formatMap(video: PlaylistVideo, { init }: MediaParts, other: Quality | undefined): string {
  if (other !== undefined) return `#EXT-X-MAP:URI="/api/videos/${video.videoId}/init/${other}.mp4"\n`;
  return `#EXT-X-MAP:URI="${uriOf(video)}",BYTERANGE="${init.end - init.start}@${init.start}"\n`;
}

/** Section 4.4.5.1. Players that do not know the class leave it alone. */
function formatGap({ id, fromMs, toMs, cause }: PlaylistGap): string {
  const seconds = ((toMs - fromMs) / 1000).toFixed(3);
  return (
    `#EXT-X-DATERANGE:ID="${id}",CLASS="livecam.gap",START-DATE="${formatWireTime(fromMs)}",` +
    `DURATION=${seconds},X-CAUSE="${cause}"\n`
  );
}

/** From the root of the hub, as it is in front of a proxy and behind one. */
export function uriOf({ videoId, edgeUri }: Pick<PlaylistVideo, "videoId" | "edgeUri">): string {
  return edgeUri ?? `/api/videos/${videoId}/stream.mp4`;
}
