import { isFootage } from "../plan-coverage.ts";
import type { PageVideo } from "./page-video.ts";
import type { Span } from "./plan-day.ts";

/**
 * Where the player of a day begins: at the moment asked for; else the newest video of the newest day, and the first of
 * any other. Undefined where nothing can be played. Pure; `videos` are those of the day, by start.
 */
export function planStart(input: {
  askedMs: number | undefined;
  day: Span;
  isNewestDay: boolean;
  videos: readonly PageVideo[];
  /** What is not archived yet, by start: of a day that has nothing else. */
  onEdge?: readonly { startTimeMs: number; isMock: boolean }[];
}): number | undefined {
  const { askedMs, day, isNewestDay, videos, onEdge = [] } = input;
  if (askedMs !== undefined) return askedMs;
  const playable = videos.filter(isFootage);
  const video = (isNewestDay ? playable.at(-1) : playable[0]) ?? onEdge.find(({ isMock }) => !isMock);
  return video && Math.max(video.startTimeMs, day.fromMs);
}

interface NamedCamera {
  cameraId: string;
  name: string;
}

/** The cameras that are seen, the page's own first, and those that could be. What is not known is left out. */
export function camerasInStep(
  own: NamedCamera,
  beside: readonly string[],
  all: readonly NamedCamera[],
): { cameras: NamedCamera[]; others: NamedCamera[] } {
  const others = all
    .filter(({ cameraId }) => cameraId !== own.cameraId)
    .map(({ cameraId, name }) => ({ cameraId, name }));
  const seen = [...new Set(beside)].flatMap((id) => others.filter(({ cameraId }) => cameraId === id));
  return { cameras: [{ cameraId: own.cameraId, name: own.name }, ...seen], others };
}
