import { startOfLocalDay } from "../../common/time-zone.ts";
import { isFootage, type LostVideo } from "../plan-coverage.ts";
import type { PageVideo } from "./page-video.ts";

const hourMs = 3_600_000;
/** A hole shorter than this is a rounding of clocks, not a gap anybody could see. */
const joinMs = 1_000;

export interface Span {
  fromMs: number;
  toMs: number;
}

/** One hour of the day by the clock, or the part of one where the zone's changes cut it. */
export interface HourPlan extends Span {
  /** From 0; a day has 23 to 25 of them. */
  index: number;
  /** Recorded parts inside the hour, in order, not touching. */
  spans: readonly Span[];
  /** Where a picture that says "no signal" was recorded instead of footage. */
  mockSpans: readonly Span[];
  recordedMs: number;
  /** The videos that start in it; in the first hour also the one that goes on from the day before. */
  videos: readonly PageVideo[];
}

export interface DayPlan extends Span {
  hours: readonly HourPlan[];
  /** Videos that cannot be given out. */
  lost: readonly LostVideo[];
  recordedMs: number;
  /** The day, or as much of it as is over. */
  elapsedMs: number;
  isOver: boolean;
}

/** When a local day (`2025-09-23`) begins and ends. */
export function spanOfDay(day: string, timeZone: string): Span {
  const [year = 1970, month = 1, date = 1] = day.split("-").map(Number);
  const next = new Date(Date.UTC(year, month - 1, date + 1));
  return {
    fromMs: startOfLocalDay({ year, month, day: date }, timeZone),
    toMs: startOfLocalDay(
      { year: next.getUTCFullYear(), month: next.getUTCMonth() + 1, day: next.getUTCDate() },
      timeZone,
    ),
  };
}

/** What of a day is recorded, hour by hour. `videos` are those that overlap it, by start time. */
export function planDay(input: { day: Span; videos: readonly PageVideo[]; nowMs: number }): DayPlan {
  const { day, videos, nowMs } = input;
  const recorded = unionOf(videos.filter(isFootage).map(spanOf), day);
  const mock = unionOf(
    videos.filter(({ status, isMock }) => isMock && status === "available").map(spanOf),
    day,
  );
  const hours: HourPlan[] = [];
  for (let fromMs = day.fromMs; fromMs < day.toMs; fromMs += hourMs) {
    const hour = { fromMs, toMs: Math.min(fromMs + hourMs, day.toMs) };
    const spans = unionOf(recorded, hour);
    hours.push({
      ...hour,
      index: hours.length,
      spans: joinNear(spans),
      mockSpans: joinNear(unionOf(mock, hour)),
      recordedMs: lengthOf(spans),
      videos: videos.filter((video) => {
        const startMs = Math.max(video.startTimeMs, day.fromMs);
        return startMs >= hour.fromMs && startMs < hour.toMs;
      }),
    });
  }
  const isOver = nowMs >= day.toMs;
  return {
    ...day,
    hours,
    lost: videos.flatMap((video): LostVideo[] =>
      video.status === "available" ? [] : [{ ...spanOf(video), status: video.status }],
    ),
    recordedMs: lengthOf(recorded),
    elapsedMs: isOver ? day.toMs - day.fromMs : Math.max(0, nowMs - day.fromMs),
    isOver,
  };
}

function spanOf(video: PageVideo): Span {
  return { fromMs: video.startTimeMs, toMs: video.endTimeMs };
}

/** The parts of `spans` inside `within`, in order, none touching another. */
export function unionOf(spans: readonly Span[], within: Span): Span[] {
  const joined: Span[] = [];
  const sorted = spans
    .map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, within.fromMs),
      toMs: Math.min(toMs, within.toMs),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs)
    .sort((a, b) => a.fromMs - b.fromMs);
  for (const span of sorted) {
    const last = joined.at(-1);
    if (last && span.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, span.toMs);
    else joined.push(span);
  }
  return joined;
}

function joinNear(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last && span.fromMs - last.toMs < joinMs) last.toMs = span.toMs;
    else joined.push({ ...span });
  }
  return joined;
}

/** In ms. */
export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** More videos than this are shown an hour at a time. */
const maxVideosShown = 200;

/** The hours whose videos a page shows: all of a usual day, else the one asked for, else the newest with any. */
export function chooseHours(plan: DayPlan, asked: number | undefined): readonly HourPlan[] {
  const count = plan.hours.reduce((sum, { videos }) => sum + videos.length, 0);
  if (count <= maxVideosShown) return plan.hours;
  const hour = plan.hours[asked ?? -1] ?? plan.hours.findLast(({ videos }) => videos.length > 0);
  return hour ? [hour] : [];
}
