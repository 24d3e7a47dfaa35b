import type { CameraStage } from "./camera-stage.ts";
import type { FollowNewest } from "./follow-newest.ts";
import type { TimelineData } from "./timeline-data.ts";

const refreshMs = 3_000;
/** Where nobody waits for it, what there is is asked for so many times less often. */
const calmTimes = 5;

/** Asks again and again what there is of each camera, the first one's the one that others follow; until it is stopped. */
export function refreshOften(
  all: readonly { stage: CameraStage; data: TimelineData }[],
  newest: FollowNewest,
): () => void {
  const leader = all[0]?.stage;
  let looks = 0;
  const refreshing = setInterval(() => {
    if (document.hidden) return;
    const isDue = ++looks % calmTimes === 0;
    for (const { stage, data } of all) {
      if (!isDue && !(newest.isWaiting || data.isUploading || stage.followsEdge)) continue;
      const isAll = isDue || (newest.isWaiting && leader?.followsEdge !== true);
      void (isAll ? data.refresh() : data.refreshEdge()).then(() => {
        if (stage === leader) void newest.hear(stage.video.ended);
        const hasMore = stage.endMs !== undefined && data.newestMs > stage.endMs + 1_000;
        if (stage.followsEdge || hasMore) stage.readOn();
      });
    }
  }, refreshMs);
  return () => clearInterval(refreshing);
}
