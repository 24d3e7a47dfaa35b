import { earliestWallMs } from "../../common/clock.ts";
import type { GapCause } from "../../common/protocol/gap.ts";

/** From here on nothing is recorded, for this cause, until the next part begins. */
export interface GapPart {
  fromMs: number;
  cause: GapCause;
  detail: string;
  /** Wall minus monotonic time when it was noted: tells a step of the wall clock since. */
  wallOffsetMs: number;
  /**
   * When `fromMs` was read from a clock that was not set yet (`unset`), a step since is the setting of it, and no time
   * that never was; when it is known from an earlier process (`past`), there is no step since at all.
   */
  by?: "unset" | "past" | undefined;
}

/** Wall time without footage, [from, to) in ms since 1970 UTC. */
export interface GapSpan {
  fromMs: number;
  toMs: number;
  cause: GapCause;
  detail: string;
}

/** Shorter parts belong to their neighbour: what a start or a stop takes is no cause of its own. */
export const shortPartMs = 10_000;
/** NTP slews less than this away within any part; more is a step. */
const stepMs = 500;

/**
 * The gap that `parts`, one after the other, make up to `toMs`: a hole of less than `leastMs` is none. Where the wall
 * clock went forward meanwhile, the time that never was comes first. What began before the clock was set is told in
 * the time that it really was. Pure.
 */
export function planGaps(
  parts: readonly GapPart[],
  end: { toMs: number; wallOffsetMs: number; leastMs: number },
): GapSpan[] {
  const [first] = parts;
  if (!first) return [];
  const moved = parts.map((part) => ({ ...part, fromMs: part.fromMs + stepSince(part, end.wallOffsetMs) }));
  const steppedMs = stepSince(first, end.wallOffsetMs);
  if (steppedMs > 0 && first.by === undefined && first.fromMs >= earliestWallMs) {
    const detail = `the clock was set forward by ${(steppedMs / 1000).toFixed(1)} s`;
    moved.unshift({ ...first, cause: "clock_stepped", detail });
  }
  const [begin] = moved;
  if (!begin || begin.fromMs < earliestWallMs || end.toMs - begin.fromMs < end.leastMs) return [];
  // What was noted later than footage began is no part: a fragment reaches back to before the call that asked for it.
  const startOf = (part: GapPart | undefined) => Math.min(end.toMs, part?.fromMs ?? end.toMs);
  return withoutShort(
    moved.map((part, i) => ({
      fromMs: startOf(part),
      toMs: Math.max(startOf(part), startOf(moved[i + 1])),
      cause: part.cause,
      detail: part.detail,
    })),
  );
}

function stepSince(part: GapPart, wallOffsetMs: number): number {
  return part.by === "past" ? 0 : stepBetween(part.wallOffsetMs, wallOffsetMs);
}

/** By how much the wall clock was set, in ms, between two times of wall minus monotonic time. */
export function stepBetween(beforeMs: number, afterMs: number): number {
  const offsetMs = afterMs - beforeMs;
  return Math.abs(offsetMs) > stepMs ? Math.round(offsetMs) : 0;
}

/**
 * Neighbours with one cause are joined, and a short one joins the span before it, the first of them the one after. Of
 * short ones, `camera_failed` yields to any other cause: it is what is said when nobody says more.
 */
function withoutShort(spans: readonly GapSpan[]): GapSpan[] {
  const kept: GapSpan[] = [];
  for (const span of spans) {
    const last = kept.at(-1);
    const follows = last && (last.cause === span.cause || isShort(span));
    if (last && (follows || (kept.length === 1 && isShort(last)))) {
      const { cause, detail } = isShort(last) && (last.cause === "camera_failed" || !follows) ? span : last;
      kept[kept.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs), cause, detail };
    } else kept.push(span);
  }
  return kept;
}

function isShort({ fromMs, toMs }: GapSpan): boolean {
  return toMs - fromMs < shortPartMs;
}

/** What of [fromMs, toMs) none of `spans` covers, in order. */
export function holesBetween(
  fromMs: number,
  toMs: number,
  spans: readonly { fromMs: number; toMs: number }[],
): { fromMs: number; toMs: number }[] {
  const holes: { fromMs: number; toMs: number }[] = [];
  let reachedMs = fromMs;
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (span.fromMs >= toMs) break;
    if (span.fromMs > reachedMs) holes.push({ fromMs: reachedMs, toMs: span.fromMs });
    reachedMs = Math.max(reachedMs, span.toMs);
  }
  if (reachedMs < toMs) holes.push({ fromMs: reachedMs, toMs });
  return holes;
}
