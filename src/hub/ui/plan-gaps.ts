import type { GapCause } from "../../common/protocol/gap.ts";
import { planCoverage } from "../plan-coverage.ts";
import type { DayPlan, Span } from "./plan-day.ts";

/** A gap as a node told it; a long one is told in parts. */
export interface ToldGap extends Span {
  cause: GapCause;
  detail: string;
}

/**
 * What kind of hole it is: `lost`: something is broken, or footage was destroyed. `down`: the node was not running.
 * `meant`: somebody wanted it so. `other`: nobody knows, or the time never was.
 */
export type GapKind = "lost" | "down" | "meant" | "other";

export const kindOfCause: Readonly<Record<GapCause, GapKind>> = {
  camera_failed: "lost",
  disk_full: "lost",
  disk_error: "lost",
  evicted_unsent: "lost",
  damaged: "lost",
  node_down: "down",
  node_stopped: "down",
  paused: "meant",
  reconfigured: "meant",
  clock_stepped: "other",
  unknown: "other",
};

/** Where bars of different kinds meet, the gravest is drawn. */
const gravity: readonly GapKind[] = ["other", "meant", "down", "lost"];

export interface GapBar extends Span {
  kind: GapKind;
}

export interface GapPlan {
  /** Of the day, in order; parts of one gap are one. */
  gaps: readonly ToldGap[];
  /** By cause, the longest first. */
  causes: readonly { cause: GapCause; count: number; totalMs: number }[];
  /** What is missing for a known cause, as exports count it, too; where footage came after all, nothing is. */
  missingMs: number;
  /** What to draw in each hour of the day plan: no more bars than minutes, however many gaps there are. */
  barsOfHour: readonly (readonly GapBar[])[];
}

/** Parts that are so near are one gap: a node tells a long one every half minute. */
const joinMs = 1_000;
const slotMs = 60_000;

/** What of a day is missing, and why. `gaps` are those that overlap it, by start time. Pure. */
export function planGaps(plan: DayPlan, told: readonly ToldGap[]): GapPlan {
  const gaps = joined(told, plan);
  const recorded = plan.hours.flatMap(({ spans }) => spans);
  const { missing, untoldMs } = planCoverage(plan, { videos: recorded, lost: plan.lost, gaps });
  const totals = new Map<GapCause, { cause: GapCause; count: number; totalMs: number }>();
  for (const { cause, fromMs, toMs } of gaps) {
    const total = totals.get(cause) ?? { cause, count: 0, totalMs: 0 };
    totals.set(cause, { cause, count: total.count + 1, totalMs: total.totalMs + toMs - fromMs });
  }
  return {
    gaps,
    causes: [...totals.values()].sort((a, b) => b.totalMs - a.totalMs),
    missingMs: missing.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, -untoldMs),
    barsOfHour: plan.hours.map((hour) => barsOf(gaps, hour)),
  };
}

/** Clipped to the day; neighbours with the same cause are one. */
function joined(told: readonly ToldGap[], day: Span): ToldGap[] {
  const gaps: ToldGap[] = [];
  /** By cause, the newest: gaps of different causes may lie over each other. */
  const newest = new Map<GapCause, ToldGap>();
  for (const gap of told) {
    const fromMs = Math.max(gap.fromMs, day.fromMs);
    const toMs = Math.min(gap.toMs, day.toMs);
    if (fromMs >= toMs) continue;
    const last = newest.get(gap.cause);
    if (last && fromMs - last.toMs < joinMs) {
      last.toMs = Math.max(last.toMs, toMs);
      continue;
    }
    const next = { ...gap, fromMs, toMs };
    newest.set(gap.cause, next);
    gaps.push(next);
  }
  return gaps;
}

/** Minute by minute: a bar has to be as wide as can be seen, and a day of thousands of gaps is a page as any other. */
function barsOf(gaps: readonly ToldGap[], hour: Span): GapBar[] {
  const kinds: (GapKind | undefined)[] = Array(Math.ceil((hour.toMs - hour.fromMs) / slotMs)).fill(undefined);
  for (const { fromMs, toMs, cause } of gaps) {
    if (fromMs >= hour.toMs || toMs <= hour.fromMs) continue;
    const kind = kindOfCause[cause];
    const first = Math.floor((Math.max(fromMs, hour.fromMs) - hour.fromMs) / slotMs);
    const last = Math.ceil((Math.min(toMs, hour.toMs) - hour.fromMs) / slotMs);
    for (let slot = first; slot < last; slot++) {
      const known = kinds[slot];
      if (known === undefined || gravity.indexOf(kind) > gravity.indexOf(known)) kinds[slot] = kind;
    }
  }
  const bars: GapBar[] = [];
  kinds.forEach((kind, slot) => {
    if (kind === undefined) return;
    const fromMs = hour.fromMs + slot * slotMs;
    const toMs = Math.min(fromMs + slotMs, hour.toMs);
    const last = bars.at(-1);
    if (last?.kind === kind && last.toMs === fromMs) last.toMs = toMs;
    else bars.push({ kind, fromMs, toMs });
  });
  return bars;
}
