import type { Clock } from "../../../common/clock.ts";
import { AppError, errorCodeOf } from "../../../common/errors.ts";
import type { Catalog, Video } from "../../db/catalog.ts";
import type { Quality } from "../qualities/quality.ts";
import { playbackError } from "../video-file.ts";
import { type FindOnEdge, planEdgeParts } from "./edge-parts.ts";
import { formatMaster } from "./format-master.ts";
import { formatPlaylist, longestPartSeconds } from "./format-playlist.ts";
import { type IndexedVideo, partSeconds } from "./media-parts.ts";
import { keepThoseAppended, type PlaylistGap, type PlaylistVideo, planPlaylist } from "./plan-playlist.ts";
import type { PlayableParts, PlayableVideo } from "./playable-parts.ts";

const maxRangeMs = 7 * 86_400_000;
/** Three days of segments of 30 seconds. Players read playlists as a whole. */
const maxVideos = 10_000;
const maxGaps = 10_000;
const gapPage = 500;
/** Asked for at a time, so that one long playlist does not take all places of those who wait. */
const readAtOnce = 16;

export interface PlaylistRequest {
  cameraId: string;
  fromMs: number;
  /** Absent: up to now, and on. */
  toMs?: number | undefined;
  /** Also what is still on the camera's node; then it ends with what is there now. */
  withEdge?: boolean | undefined;
}

export type HlsCatalog = Pick<Catalog, "findVideos" | "findGaps" | "listCameras" | "listNodes">;

export interface CameraPlaylists {
  /**
   * The HLS media playlist of a camera, as it was recorded or in another quality; parts, times and discontinuities are
   * the same. Files that are not there, and what is damaged of a file, are marked, left out, and told as gaps; one that
   * came back is unmarked.
   * A part that is on the edge is archived at some time, under another path: a playlist that grows may not change what it
   * had (RFC 8216bis 6.2.1), so one with such parts never does.
   * Throws `invalid_input` for a range that is empty, too long or has too many videos in it, `not_found` for one without
   * footage, `unavailable` when the archive cannot be read.
   */
  playlistOf(request: PlaylistRequest, quality?: Quality): Promise<string>;
  /** The multivariant playlist: as it was recorded, and what else can be had. Throws the same. */
  masterOf(request: PlaylistRequest): Promise<string>;
}

export function createCameraPlaylists(deps: {
  catalog: HlsCatalog;
  parts: Pick<PlayableParts, "of">;
  clock: Pick<Clock, "wallMs">;
  /** Whether there are other qualities to be had. */
  canTranscode: () => Promise<boolean>;
  findOnEdge: FindOnEdge;
}): CameraPlaylists {
  const { catalog, parts, clock, canTranscode, findOnEdge } = deps;

  async function plan({ cameraId, fromMs, toMs, withEdge = false }: PlaylistRequest) {
    const nowMs = clock.wallMs();
    checkRange(fromMs, toMs, nowMs);
    const isEnded = withEdge || (toMs !== undefined && toMs <= nowMs);
    const range = { fromMs, toMs: toMs ?? Number.MAX_SAFE_INTEGER };
    // First: what is archived meanwhile is in both, and not in neither.
    const onEdge = withEdge ? await findOnEdge(cameraId, { fromMs, toMs: Math.min(range.toMs, nowMs) }) : [];
    const known = await findVideos(catalog, cameraId, fromMs, toMs);
    const videos = isEnded ? known : keepThoseAppended(known);
    const archived = await readAll(videos);
    const ids = new Set(onEdge.length > 0 ? videos.map(({ videoId }) => videoId) : []);
    const edge = planEdgeParts(onEdge, (videoId) => ids.has(videoId));
    const usable = edge.usable.length > 0 ? inOrder([...archived.usable, ...edge.usable]) : archived.usable;
    const entries = planPlaylist(usable, range);
    const [first] = entries;
    if (first === undefined) throw await nothingFound(catalog, cameraId);
    return { entries, first, unusable: [...archived.unusable, ...edge.unusable], isEnded };
  }

  return {
    async masterOf(request) {
      const { entries } = await plan(request);
      // What is on the edge is to be had as it was recorded only, and all qualities have the same parts.
      const hasOthers = request.withEdge !== true && (await canTranscode());
      return formatMaster({ ...request, entries, hasOthers });
    },

    async playlistOf(request, quality) {
      const { cameraId, fromMs, toMs } = request;
      const { entries, first, unusable, isEnded } = await plan(request);
      const longest = Math.max(partSeconds, longestPartSeconds(entries));
      const skippedSeconds = (fromMs - first.startTimeMs) / 1000;
      return formatPlaylist({
        entries,
        quality,
        gaps: [...(await findGaps(catalog, cameraId, fromMs, toMs)), ...unusable],
        isEnded,
        targetSeconds: isEnded ? longest : Math.max(longest, await secondsToNext(catalog, cameraId)),
        startSeconds: isEnded && skippedSeconds > 0 ? skippedSeconds : undefined,
      });
    },
  };

  async function readAll(videos: readonly Video[]) {
    const usable: (IndexedVideo & { video: Video })[] = [];
    const unusable: PlaylistGap[] = [];
    const read = async (video: Video): Promise<PlayableVideo | PlaylistGap> => {
      if (video.status === "deleted") return gapOf(video, "deleted");
      try {
        return await parts.of(video);
      } catch (error) {
        if (errorCodeOf(error) === "not_found") return gapOf(video, "missing");
        throw playbackError(video, error);
      }
    };
    for (let i = 0; i < videos.length; i += readAtOnce) {
      const some = videos.slice(i, i + readAtOnce);
      for (const [n, found] of (await Promise.all(some.map(read))).entries()) {
        const video = some[n];
        if (video === undefined) continue;
        if ("cause" in found) {
          unusable.push(found);
          continue;
        }
        usable.push(...found.stretches.map((indexed) => ({ video, ...indexed })));
        unusable.push(...found.lost.map((lost, index) => damagedGap(video, lost, index)));
      }
    }
    return { usable, unusable };
  }
}

/** By start; the stretches of a damaged video stay as they are. */
function inOrder<T extends { video: PlaylistVideo }>(videos: T[]): T[] {
  return videos.sort((a, b) => a.video.startTimeMs - b.video.startTimeMs);
}

function checkRange(fromMs: number, toMs: number | undefined, nowMs: number): void {
  const refuse = (path: string, message: string) =>
    new AppError("invalid_input", "the query is not valid", { issues: [{ path, message }] });
  if (toMs !== undefined && toMs <= fromMs) throw refuse("to", "expected a time after `from`");
  if (toMs === undefined && fromMs > nowMs) throw refuse("from", "expected a time that was, or also `to`");
  if ((toMs ?? nowMs) - fromMs > maxRangeMs) {
    throw refuse(toMs === undefined ? "from" : "to", "expected a range of at most 7 days");
  }
}

/** Oldest first. A missing or damaged one is in it, since it leaves a hole. */
async function findVideos(
  catalog: HlsCatalog,
  cameraId: string,
  fromMs: number,
  toMs: number | undefined,
): Promise<Video[]> {
  const videos = await catalog.findVideos({
    cameraIds: [cameraId],
    fromMs,
    ...(toMs !== undefined && { toMs }),
    order: "oldest_first",
    limit: maxVideos + 1,
  });
  // The picture in place of a camera explains a gap and does not fill it.
  if (videos.length <= maxVideos) return videos.filter(({ isMock }) => isMock !== true);
  const issues = [{ path: "to", message: `expected a range of at most ${maxVideos} videos` }];
  throw new AppError("invalid_input", "the range has too many videos in it", { issues });
}

async function findGaps(
  catalog: HlsCatalog,
  cameraId: string,
  fromMs: number,
  toMs: number | undefined,
): Promise<PlaylistGap[]> {
  const found: PlaylistGap[] = [];
  for (let after: { startTimeMs: number; videoId: string } | undefined; found.length < maxGaps; ) {
    const page = await catalog.findGaps({
      cameraIds: [cameraId],
      fromMs,
      ...(toMs !== undefined && { toMs }),
      ...(after && { after }),
      order: "oldest_first",
      limit: gapPage,
    });
    for (const { gapId, cause, missing } of page) {
      found.push(...missing.map((span, i) => ({ id: i === 0 ? gapId : `${gapId}-${i}`, ...span, cause })));
    }
    const last = page.length === gapPage ? page.at(-1) : undefined;
    if (last === undefined) break;
    after = { startTimeMs: last.fromMs, videoId: last.gapId };
  }
  return found;
}

/**
 * A playlist that grows has to do so within 1.5 target durations (RFC 8216bis 6.2.2), and the target duration may not
 * change: a segment is archived every so many seconds.
 */
async function secondsToNext(catalog: HlsCatalog, cameraId: string): Promise<number> {
  const camera = (await catalog.listCameras()).find((one) => one.cameraId === cameraId);
  const node = (await catalog.listNodes()).find((one) => one.nodeId === camera?.nodeId);
  return Math.ceil((node?.segmentSeconds ?? 600) / 1.5);
}

async function nothingFound(catalog: HlsCatalog, cameraId: string): Promise<AppError> {
  const isKnown = (await catalog.listCameras()).some((one) => one.cameraId === cameraId);
  return new AppError(
    "not_found",
    isKnown ? `${cameraId} has no video in this range` : `there is no camera ${cameraId}`,
  );
}

/** The first has the video's own id, as one that is lost whole; there is no video with the others. */
function damagedGap({ videoId }: Video, lost: { fromMs: number; toMs: number }, index: number): PlaylistGap {
  return { id: index === 0 ? videoId : `${videoId}-${index + 1}`, ...lost, cause: "damaged" };
}

function gapOf({ videoId, startTimeMs, endTimeMs }: Video, cause: PlaylistGap["cause"]): PlaylistGap {
  return { id: videoId, fromMs: startTimeMs, toMs: endTimeMs, cause };
}
