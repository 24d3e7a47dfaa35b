import type { GapCause } from "../../common/protocol/gap.ts";
import type { Gap, Video } from "../db/catalog.ts";
import { isFootage } from "../plan-coverage.ts";

/** [from, to), in ms since 1970 UTC. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** Why there is nothing to see: what the node told, or what became of the file since. */
export type HoleCause = GapCause | "missing" | "deleted";

export interface Hole extends Span {
  cause: HoleCause;
}

export interface TimelinePlan {
  /** What can be played; neighbours are one. */
  recorded: readonly Span[];
  /** Where the "no signal" picture was recorded. */
  mock: readonly Span[];
  /** Holes of different causes may lie over each other; where footage came after all there is none. */
  gaps: readonly Hole[];
}

export type TimelineVideo = Pick<
  Video,
  "videoId" | "startTimeMs" | "endTimeMs" | "status" | "isMock" | "fps" | "codec"
>;
export type TimelineGap = Pick<Gap, "gapId" | "fromMs" | "toMs" | "cause" | "missing">;

/** Less than this between two is a rounding of clocks, not a hole that anybody could see. */
const joinMs = 1_000;

/** What of a range is there and what is not. Videos and gaps are those that overlap it, by start. Pure. */
export function planTimeline(input: {
  range: Span;
  videos: readonly TimelineVideo[];
  gaps: readonly TimelineGap[];
}): TimelinePlan {
  const { range, videos, gaps } = input;
  const whole = videos.filter(({ status }) => status === "available");
  const holes = [
    ...gaps.flatMap(({ missing, cause }) => missing.map((span) => ({ ...span, cause }))),
    ...videos.flatMap((video) =>
      video.status === "available" ? [] : [{ ...spanOf(video), cause: video.status }],
    ),
  ];
  return {
    recorded: joined(whole.filter(isFootage).map(spanOf), range),
    mock: joined(whole.filter(({ isMock }) => isMock === true).map(spanOf), range),
    gaps: [...Map.groupBy(holes, ({ cause }) => cause)]
      .flatMap(([cause, same]) => joined(same, range).map((span) => ({ ...span, cause })))
      .sort((a, b) => a.fromMs - b.fromMs),
  };
}

function spanOf({ startTimeMs, endTimeMs }: TimelineVideo): Span {
  return { fromMs: startTimeMs, toMs: endTimeMs };
}

/** Inside the range, in order; those that touch are one. */
function joined(spans: readonly Span[], range: Span): Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const fromMs = Math.max(span.fromMs, range.fromMs);
    const toMs = Math.min(span.toMs, range.toMs);
    if (fromMs >= toMs) continue;
    const last = found.at(-1);
    if (last && fromMs - last.toMs < joinMs) last.toMs = Math.max(last.toMs, toMs);
    else found.push({ fromMs, toMs });
  }
  return found;
}
