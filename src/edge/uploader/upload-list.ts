import type { UploadAttempt } from "./upload-attempt.ts";
import type { UploadForecast } from "./upload-forecast.ts";
import type { UploadPlan } from "./upload-plan.ts";
import type { WaitingSegment } from "./upload-queue.ts";

export interface UploadItem extends WaitingSegment {
  state: "uploading" | "waiting" | "held_back";
  /** 0 to 1. */
  progress: number;
  /** Until it is archived; undefined while nobody can tell. */
  etaSeconds: number | undefined;
  /** What went wrong with it last. */
  lastError: string | undefined;
}

export interface UploadListParts {
  /** Oldest first. */
  waiting: readonly WaitingSegment[];
  plan: UploadPlan;
  attempts: ReadonlyMap<string, UploadAttempt>;
  forecast: UploadForecast;
  /** While uploads fail nobody can tell when the next one succeeds. */
  failing: boolean;
  /** Monotonic. */
  nowMs: number;
}

/** What waits, in the order it will be tried, and when each will be there. */
export function listUploads(parts: UploadListParts): UploadItem[] {
  const { waiting, plan, attempts, nowMs } = parts;
  const items = plan.order(waiting).map((segment): UploadItem => {
    const attempt = attempts.get(segment.videoId);
    const held = plan.isHeldBack(segment.videoId, nowMs);
    return {
      ...segment,
      state: attempt ? "uploading" : held ? "held_back" : "waiting",
      progress: attempt?.progress ?? 0,
      etaSeconds: undefined,
      lastError: plan.lastErrorOf(segment.videoId),
    };
  });
  if (parts.failing) return items;
  const inTurn = items.filter(({ state }) => state !== "held_back");
  const etas = parts.forecast.secondsUntil(inTurn.map((item) => item.sizeBytes * (1 - item.progress)));
  inTurn.forEach((item, i) => {
    item.etaSeconds = etas[i];
  });
  return items;
}
