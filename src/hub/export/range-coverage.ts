import type { CameraId } from "../../common/ids.ts";
import { formatWireTime, plainTextOf } from "../../common/protocol/wire.ts";
import type { Catalog, Gap, Video } from "../db/catalog.ts";
import { isFootage, type LostVideo, planCoverage, type Span } from "../plan-coverage.ts";

export interface CameraRange extends Span {
  cameraId: CameraId;
}

/** What of a range there is and what is missing, as the manifests of exports say it. */
export interface CoverageJson {
  camera_id: string;
  from_time: string;
  to_time: string;
  expected_ms: number;
  recorded_ms: number;
  missing: { from_time: string; to_time: string; cause: string; detail: string }[];
}

const pageSize = 500;

/** The videos of a range that can be given out, oldest first, and what it lacks. `tooMany` is thrown past `maxItems`. */
export async function readCoverage(
  catalog: Pick<Catalog, "findVideos" | "findGaps">,
  range: CameraRange,
  { maxItems, tooMany }: { maxItems: number; tooMany: () => Error },
): Promise<{ videos: Video[]; coverage: CoverageJson }> {
  const { cameraId, fromMs, toMs } = range;
  const query = {
    ...{ cameraIds: [cameraId], fromMs, toMs, order: "oldest_first" as const },
    limit: pageSize,
  };
  const found = await allOf<Video>(
    (after) => catalog.findVideos({ ...query, ...after }),
    (video) => ({ startTimeMs: video.startTimeMs, videoId: video.videoId }),
  );
  const gaps = await allOf<Gap>(
    (after) => catalog.findGaps({ ...query, ...after }),
    (gap) => ({ startTimeMs: gap.fromMs, videoId: gap.gapId }),
  );
  const videos = found.filter(({ status }) => status === "available");
  return { videos, coverage: coverageJson(range, videos, found, gaps) };

  /** Every page of a list, by its keyset. */
  async function allOf<T>(
    page: (after: { after?: { startTimeMs: number; videoId: string } }) => Promise<T[]>,
    keyOf: (item: T) => { startTimeMs: number; videoId: string },
  ): Promise<T[]> {
    const all: T[] = [];
    for (;;) {
      const last = all.at(-1);
      const items = await page(last === undefined ? {} : { after: keyOf(last) });
      all.push(...items);
      if (all.length > maxItems) throw tooMany();
      if (items.length < pageSize) return all;
    }
  }
}

function coverageJson(
  range: CameraRange,
  videos: readonly Video[],
  found: readonly Video[],
  gaps: readonly Gap[],
): CoverageJson {
  const spanOf = (video: Video) => ({ fromMs: video.startTimeMs, toMs: video.endTimeMs });
  const lost = found.flatMap((video): LostVideo[] =>
    video.status === "available" ? [] : [{ ...spanOf(video), status: video.status }],
  );
  const { recordedMs, missing } = planCoverage(range, {
    videos: videos.filter(isFootage).map(spanOf),
    ...{ lost, gaps },
  });
  return {
    camera_id: range.cameraId,
    from_time: formatWireTime(range.fromMs),
    to_time: formatWireTime(range.toMs),
    expected_ms: range.toMs - range.fromMs,
    recorded_ms: recordedMs,
    missing: missing.map(({ fromMs, toMs, cause, detail }) => ({
      from_time: formatWireTime(fromMs),
      to_time: formatWireTime(toMs),
      cause,
      detail: plainTextOf(detail, 500),
    })),
  };
}
