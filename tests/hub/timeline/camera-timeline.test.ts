import { expect, test } from "bun:test";
import type { GapQuery, Video, VideoQuery } from "../../../src/hub/db/catalog.ts";
import { createCameraTimelines } from "../../../src/hub/timeline/camera-timeline.ts";
import { videoAt } from "../ui/page-data.ts";

test("more than fits into an answer is told in several, each going on where the one before ended", async () => {
  // A day in segments of five seconds.
  const all: Video[] = Array.from({ length: 17_280 }, (_, i) => videoAt(i * 5_000, { durationMs: 5_000 }));
  let asked = 0;
  const timelines = createCameraTimelines({
    catalog: {
      findVideos: async ({ fromMs = 0, toMs = 0, after, limit }: VideoQuery) => {
        asked++;
        expect(limit).toBeLessThanOrEqual(500);
        return all
          .filter((video) => video.endTimeMs > fromMs && video.startTimeMs < toMs)
          .filter((video) => after === undefined || video.startTimeMs > after.startTimeMs)
          .slice(0, limit);
      },
      findGaps: async (_query: GapQuery) => [],
    },
    checkCamera: async () => {},
  });
  const first = await timelines.timelineOf("cam01", { fromMs: 0, toMs: 86_400_000 });
  expect(asked).toBe(20);
  expect(first.toMs).toBe(9_999 * 5_000);
  expect(first.recorded).toEqual([{ fromMs: 0, toMs: first.toMs }]);
  const rest = await timelines.timelineOf("cam01", { fromMs: first.toMs, toMs: 86_400_000 });
  expect(rest.recorded).toEqual([{ fromMs: first.toMs, toMs: 86_400_000 }]);
  expect((first.videos?.length ?? 0) + (rest.videos?.length ?? 0)).toBe(all.length);
});
