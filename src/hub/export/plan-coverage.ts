import type { GapCause } from "../../common/protocol/gap.ts";

/** [fromMs, toMs), ms since 1970 UTC. */
export interface Span {
  fromMs: number;
  toMs: number;
}

export interface KnownGap extends Span {
  cause: GapCause;
  detail: string;
}

/** A video of the catalog that cannot be given out. */
export interface LostVideo extends Span {
  status: "damaged" | "missing" | "deleted";
}

/** Time of a range without footage, and why as far as anybody knows. */
export interface MissingSpan extends Span {
  cause: GapCause | `video_${LostVideo["status"]}`;
  detail: string;
}

export interface Coverage {
  recordedMs: number;
  missing: readonly MissingSpan[];
}

/** Segments of one run may lie a few ms apart by the rounding of their times and the slewing of the run's clock. */
const toleranceMs = 100;

/** What of a range is there, and what is not. `videos`, `lost` and `gaps` may overlap the range and each other. */
export function planCoverage(
  range: Span,
  known: { videos: readonly Span[]; lost: readonly LostVideo[]; gaps: readonly KnownGap[] },
): Coverage {
  const holes = subtract([range], known.videos).filter(({ fromMs, toMs }) => toMs - fromMs >= toleranceMs);
  const missing: MissingSpan[] = [];
  let left: Span[] = holes;
  const explain = (spans: readonly Span[], why: Pick<MissingSpan, "cause" | "detail">) => {
    missing.push(...intersect(left, spans).map((span) => ({ ...span, ...why })));
    left = subtract(left, spans);
  };
  for (const video of known.lost) explain([video], { cause: `video_${video.status}`, detail: "" });
  for (const gap of known.gaps) explain([gap], { cause: gap.cause, detail: gap.detail });
  for (const span of left) missing.push({ ...span, cause: "unknown", detail: "" });
  const holesMs = holes.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  return {
    recordedMs: range.toMs - range.fromMs - holesMs,
    missing: missing.sort((a, b) => a.fromMs - b.fromMs),
  };
}

/** What of `spans` is in none of `others`. */
function subtract(spans: readonly Span[], others: readonly Span[]): Span[] {
  const sorted = [...others].sort((a, b) => a.fromMs - b.fromMs);
  const left: Span[] = [];
  for (const { fromMs, toMs } of spans) {
    let at = fromMs;
    for (const other of sorted) {
      if (other.fromMs >= toMs) break;
      if (other.toMs <= at) continue;
      if (other.fromMs > at) left.push({ fromMs: at, toMs: other.fromMs });
      at = other.toMs;
    }
    if (at < toMs) left.push({ fromMs: at, toMs });
  }
  return left;
}

function intersect(spans: readonly Span[], others: readonly Span[]): Span[] {
  return spans.flatMap((span) =>
    others
      .map(({ fromMs, toMs }) => ({ fromMs: Math.max(fromMs, span.fromMs), toMs: Math.min(toMs, span.toMs) }))
      .filter(({ fromMs, toMs }) => fromMs < toMs),
  );
}
