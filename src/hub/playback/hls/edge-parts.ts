import type { ArchivedFile } from "../../../common/mp4/archive-file.ts";
import { formatParts } from "./format-playlist.ts";
import { type IndexedVideo, planParts } from "./media-parts.ts";
import type { PlaylistGap, PlaylistVideo } from "./plan-playlist.ts";

/** A segment that is still on its node, as a playlist needs it. */
export interface EdgeSegment {
  video: Omit<PlaylistVideo, "edgeUri">;
  endTimeMs: number;
  /** Where its bytes are had, on this hub, before it is archived and after. */
  uri: string;
  /** Undefined when its node did not say in time what is where in it. */
  file: Pick<ArchivedFile, "initOffset" | "initSizeBytes" | "timescale" | "fragments"> | undefined;
}

/** What of a camera is still on its node, by start, footage alone. Comes within seconds, whatever the node does. */
export type FindOnEdge = (
  cameraId: string,
  range: { fromMs: number; toMs: number },
) => Promise<readonly EdgeSegment[]>;

/** The parts of what is on the edge and not in the catalog; what cannot be played yet is a gap. */
export function planEdgeParts(segments: readonly EdgeSegment[], isArchived: (videoId: string) => boolean) {
  const usable: (IndexedVideo & { video: PlaylistVideo })[] = [];
  const unusable: PlaylistGap[] = [];
  for (const { video, endTimeMs, uri, file } of segments) {
    if (isArchived(video.videoId)) continue;
    if (file === undefined || file.fragments.length === 0) {
      unusable.push({ id: video.videoId, fromMs: video.startTimeMs, toMs: endTimeMs, cause: "on_edge" });
      continue;
    }
    const parts = planParts(file);
    usable.push({ video: { ...video, edgeUri: uri }, parts, lines: formatParts(uri, parts) });
  }
  return { usable, unusable };
}
