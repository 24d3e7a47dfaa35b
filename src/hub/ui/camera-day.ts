import type { OnEdge } from "../edge-footage/edge-footage.ts";
import type { VideoService } from "../videos/video-service.ts";
import type { PageVideo } from "./page-video.ts";
import type { Span } from "./plan-day.ts";
import type { ToldGap } from "./plan-gaps.ts";

const pageSize = 500;
/** A day in segments of 8 seconds and a bit. Whoever cuts finer sees the day to here. */
export const maxVideosPerDay = 10_000;

/** All videos of a camera that overlap a day, by start time; `isCut` when there were more than are given. */
export async function loadCameraDay(
  videos: Pick<VideoService, "list">,
  cameraId: string,
  { fromMs, toMs }: Span,
): Promise<{ videos: PageVideo[]; isCut: boolean }> {
  const found: PageVideo[] = [];
  for (let after: Parameters<VideoService["list"]>[0]["after"]; ; ) {
    const page = await videos.list({
      cameraIds: [cameraId],
      fromMs,
      toMs,
      statuses: ["available", "damaged", "missing"],
      order: "oldest_first",
      limit: pageSize,
      ...(after ? { after } : {}),
    });
    found.push(...page.videos);
    if (page.next === undefined || found.length >= maxVideosPerDay) {
      return { videos: found, isCut: page.next !== undefined };
    }
    after = page.next;
  }
}

/** What is not among the videos of the catalog. */
export function withoutArchived(onEdge: OnEdge, videos: readonly PageVideo[]): OnEdge {
  const archived = new Set(videos.map(({ videoId }) => videoId));
  return { ...onEdge, videos: onEdge.videos.filter(({ videoId }) => !archived.has(videoId)) };
}

/** Of a camera, those that overlap a range, by start time. */
export interface GapFinder {
  findGaps(query: {
    cameraIds: readonly string[];
    fromMs: number;
    toMs: number;
    order: "oldest_first";
    limit: number;
  }): Promise<readonly (ToldGap & { missing: readonly Span[] })[]>;
}

/** A gap every nine seconds of the day. */
export const maxGapsPerDay = 10_000;

export async function loadDayGaps(
  gaps: GapFinder,
  cameraId: string,
  { fromMs, toMs }: Span,
): Promise<{ gaps: readonly ToldGap[]; isCut: boolean }> {
  const found = await gaps.findGaps({
    ...{ cameraIds: [cameraId], fromMs, toMs, order: "oldest_first" },
    limit: maxGapsPerDay + 1,
  });
  const missing = found
    .slice(0, maxGapsPerDay)
    .flatMap(({ cause, detail, missing }) => missing.map((span) => ({ ...span, cause, detail })));
  return { gaps: missing, isCut: found.length > maxGapsPerDay };
}
