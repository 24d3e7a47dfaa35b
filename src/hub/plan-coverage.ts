import type { GapCause } from "../common/protocol/gap.ts";

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
  /** Of what is missing, that nobody knows anything of: it may be that nothing was to be recorded. */
  untoldMs: number;
}

/** What counts as recorded, on pages and in exports: a whole file with what the camera saw. */
export function isFootage(video: { status: string; isMock?: boolean | undefined }): boolean {
  return video.status === "available" && video.isMock !== true;
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
  /** What is not explained yet, in order. */
  const left = [...holes];
  const explain = (span: Span, why: Pick<MissingSpan, "cause" | "detail">) => {
    const first = firstEndingAfter(left, span.fromMs);
    let end = first;
    while (end < left.length && (left[end] as Span).fromMs < span.toMs) end++;
    const some = left.slice(first, end);
    missing.push(...intersect(some, [span]).map((part) => ({ ...part, ...why })));
    left.splice(first, end - first, ...subtract(some, [span]));
  };
  for (const video of known.lost) explain(video, { cause: `video_${video.status}`, detail: "" });
  for (const gap of known.gaps) explain(gap, { cause: gap.cause, detail: gap.detail });
  for (const span of left) missing.push({ ...span, cause: "unknown", detail: "" });
  return {
    recordedMs: range.toMs - range.fromMs - lengthOf(holes),
    missing: missing.sort((a, b) => a.fromMs - b.fromMs),
    untoldMs: lengthOf(left),
  };
}

/** Position in spans that are in order and do not touch. */
function firstEndingAfter(spans: readonly Span[], ms: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).toMs > ms) high = middle;
    else low = middle + 1;
  }
  return low;
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
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
