import { AppError } from "../../common/errors.ts";
import type { Catalog } from "../db/catalog.ts";
import {
  planTimeline,
  type Span,
  type TimelineGap,
  type TimelinePlan,
  type TimelineVideo,
} from "./plan-timeline.ts";

const dayMs = 86_400_000;
const maxRangeMs = 31 * dayMs;
/** Longer ranges come without a list of videos. */
const maxListedMs = 2 * dayMs;
/** Of videos and of gaps. Beyond, the answer ends early and says where. */
const maxRows = 10_000;
const pageSize = 500;

export interface CameraTimeline extends TimelinePlan, Span {
  /** Undefined for ranges that are too long for it. */
  videos: readonly TimelineVideo[] | undefined;
}

export interface CameraTimelines {
  /**
   * What a camera has of a range, and what not. `toMs` is where the answer ends: as asked, or earlier where there is too
   * much for one; the rest begins there. Throws `invalid_input` for a range that is empty or longer than 31 days,
   * `not_found` for a camera that is not known.
   */
  timelineOf(cameraId: string, range: Span): Promise<CameraTimeline>;
}

export function createCameraTimelines(deps: {
  catalog: Pick<Catalog, "findVideos" | "findGaps">;
  checkCamera(cameraId: string): Promise<void>;
}): CameraTimelines {
  const { catalog, checkCamera } = deps;
  return {
    async timelineOf(cameraId, asked) {
      checkRange(asked);
      await checkCamera(cameraId);
      const query = { cameraIds: [cameraId], ...asked, order: "oldest_first", limit: pageSize } as const;
      const videos = await readPages<TimelineVideo>(
        (after) => catalog.findVideos({ ...query, ...(after && { after }) }),
        (video) => ({ startTimeMs: video.startTimeMs, videoId: video.videoId }),
      );
      const gaps = await readPages<TimelineGap>(
        (after) => catalog.findGaps({ ...query, ...(after && { after }) }),
        (gap) => ({ startTimeMs: gap.fromMs, videoId: gap.gapId }),
      );
      const toMs = Math.min(asked.toMs, videos.endMs, gaps.endMs);
      // Where all begin before the range, there is no earlier end to go on from.
      const range = { fromMs: asked.fromMs, toMs: toMs > asked.fromMs ? toMs : asked.toMs };
      const isListed = asked.toMs - asked.fromMs <= maxListedMs;
      return {
        ...range,
        ...planTimeline({ range, videos: videos.rows, gaps: gaps.rows }),
        videos: isListed
          ? videos.rows.filter((video) => video.status === "available" && video.startTimeMs < range.toMs)
          : undefined,
      };
    },
  };
}

function checkRange({ fromMs, toMs }: Span): void {
  const refuse = (message: string) =>
    new AppError("invalid_input", "the query is not valid", { issues: [{ path: "to", message }] });
  if (toMs <= fromMs) throw refuse("expected a time after `from`");
  if (toMs - fromMs > maxRangeMs) throw refuse("expected a range of at most 31 days");
}

interface Key {
  startTimeMs: number;
  videoId: string;
}

/** Page by page, so that others are answered in between. `endMs`: from there on there may be more. */
async function readPages<Row>(
  read: (after: Key | undefined) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
): Promise<{ rows: Row[]; endMs: number }> {
  const rows: Row[] = [];
  for (let after: Key | undefined; ; ) {
    const page = await read(after);
    rows.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return { rows, endMs: Number.POSITIVE_INFINITY };
    after = keyOf(last);
    if (rows.length >= maxRows) return { rows, endMs: after.startTimeMs };
  }
}
