import type { GapCause } from "../../../common/protocol/gap.ts";
import type { Video } from "../../db/catalog.ts";
import type { IndexedVideo } from "./media-parts.ts";

/** Two parts of a run whose times meet this closely follow each other; players bridge that without noticing. */
const maxHoleSeconds = 0.1;

/** What a playlist needs to know of a video. */
export interface PlaylistVideo
  extends Pick<
    Video,
    | "videoId"
    | "runId"
    | "startTimeMs"
    | "codec"
    | "width"
    | "height"
    | "fps"
    | "fileSizeBytes"
    | "durationMs"
  > {
  /** Where its bytes are, when they are not in the archive. */
  edgeUri?: string | undefined;
}

/** Parts [firstPart, endPart) of a video, in the playlist. */
export interface PlaylistEntry extends IndexedVideo {
  video: PlaylistVideo;
  firstPart: number;
  endPart: number;
  /** Of the first part, ms since 1970 UTC. */
  startTimeMs: number;
  /** Its times do not continue those of the entry before: another run, or something between them is not there. */
  isDiscontinuous: boolean;
}

/** A time without footage, and why. */
export interface PlaylistGap {
  id: string;
  fromMs: number;
  toMs: number;
  cause: GapCause | "missing" | "deleted" | "on_edge";
}

export interface PlaylistRange {
  fromMs: number;
  toMs: number;
}

/** The parts that overlap [fromMs, toMs), in the order of the videos given. */
export function planPlaylist(
  videos: readonly (IndexedVideo & { video: PlaylistVideo })[],
  range: PlaylistRange,
): PlaylistEntry[] {
  const entries: PlaylistEntry[] = [];
  for (const indexed of videos) {
    const cut = cutToRange(indexed, range);
    if (cut === undefined) continue;
    const before = entries.at(-1);
    entries.push({
      ...indexed,
      ...cut,
      isDiscontinuous: before !== undefined && !continues(before, indexed, cut),
    });
  }
  return entries;
}

function cutToRange(
  { video, parts }: IndexedVideo & { video: PlaylistVideo },
  { fromMs, toMs }: PlaylistRange,
): Pick<PlaylistEntry, "firstPart" | "endPart" | "startTimeMs"> | undefined {
  const count = parts.durationsTicks.length;
  let firstPart = count;
  let startTimeMs = video.startTimeMs;
  let endPart = 0;
  let ticks = parts.leadTicks;
  for (let i = 0; i < count; i++) {
    const partStartMs = video.startTimeMs + (ticks * 1000) / parts.timescale;
    if (partStartMs >= toMs) break;
    ticks += parts.durationsTicks[i] ?? 0;
    endPart = i + 1;
    if (firstPart < count || video.startTimeMs + (ticks * 1000) / parts.timescale <= fromMs) continue;
    firstPart = i;
    startTimeMs = partStartMs;
  }
  return firstPart < endPart ? { firstPart, endPart, startTimeMs } : undefined;
}

function continues(
  before: PlaylistEntry,
  next: IndexedVideo & { video: PlaylistVideo },
  { firstPart }: Pick<PlaylistEntry, "firstPart">,
): boolean {
  if (before.video.runId !== next.video.runId) return false;
  if (before.endPart < before.parts.sizesBytes.length || firstPart > 0) return false;
  if (before.parts.timescale !== next.parts.timescale) return false;
  const holeTicks = next.parts.startTicks - before.parts.endTicks;
  return Math.abs(holeTicks) <= maxHoleSeconds * next.parts.timescale;
}

/**
 * Of videos that come while somebody watches only those that follow on what was there: a playlist that grows may only
 * grow at its end (RFC 8216bis 6.2.1, EVENT). What an outage delivers late is in the playlist of that time alone.
 * The answer never loses or changes what an earlier answer had, as long as the catalog loses nothing.
 */
export function keepThoseAppended(videos: readonly Video[]): Video[] {
  const inOrderOfArrival = [...videos].sort(
    (a, b) =>
      a.createdAtMs - b.createdAtMs || a.startTimeMs - b.startTimeMs || (a.videoId < b.videoId ? -1 : 1),
  );
  const kept: Video[] = [];
  for (const video of inOrderOfArrival) {
    const last = kept.at(-1);
    if (last === undefined || video.startTimeMs >= last.startTimeMs) kept.push(video);
  }
  return kept;
}
