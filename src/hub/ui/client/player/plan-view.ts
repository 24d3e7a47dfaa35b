/** A stretch of time, [from, to), in ms since 1970 UTC. */
export interface View {
  fromMs: number;
  toMs: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const shortestMs = 30 * second;
const longestMs = 7 * day;

/** Closer or farther around a moment, which stays where it is; kept inside `within` where it fits. Pure, as all here. */
export function zoomed(view: View, factor: number, aroundMs: number, within: View): View {
  const lengthMs = view.toMs - view.fromMs;
  // No farther than there is anything.
  const mostMs = Math.max(lengthMs, Math.min(longestMs, within.toMs - within.fromMs));
  const wantedMs = Math.min(mostMs, Math.max(shortestMs, lengthMs * factor));
  const share = (aroundMs - view.fromMs) / lengthMs;
  const fromMs = aroundMs - share * wantedMs;
  return kept({ fromMs, toMs: fromMs + wantedMs }, within);
}

export function moved(view: View, byMs: number, within: View): View {
  return kept({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs }, within);
}

/** So that a moment is seen: as it is where it does, else a page on, with the moment near its beginning. */
export function following(view: View, atMs: number, within: View): View {
  if (atMs >= view.fromMs && atMs < view.toMs) return view;
  return moved(view, atMs - view.fromMs - (view.toMs - view.fromMs) * 0.1, within);
}

function kept(view: View, within: View): View {
  const lengthMs = view.toMs - view.fromMs;
  const latestMs = Math.max(within.fromMs, within.toMs - lengthMs);
  const fromMs = Math.min(Math.max(view.fromMs, within.fromMs), latestMs);
  return { fromMs, toMs: fromMs + lengthMs };
}

const steps = [
  ...[1, 5, 10, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  day,
];

export interface Tick {
  atMs: number;
  /** As the label is to be written. */
  unit: "second" | "minute" | "day";
}

/** Round times of the zone, no nearer to each other than labels need. */
export function planTicks(view: View, widthPx: number, offsetMs: number, labelPx = 72): Tick[] {
  const lengthMs = view.toMs - view.fromMs;
  const stepMs = steps.find((step) => (step / lengthMs) * widthPx >= labelPx) ?? day * 7;
  const ticks: Tick[] = [];
  for (let local = Math.ceil((view.fromMs + offsetMs) / stepMs) * stepMs; ; local += stepMs) {
    const atMs = local - offsetMs;
    if (atMs >= view.toMs) return ticks;
    const unit = local % day === 0 ? "day" : stepMs < minute ? "second" : "minute";
    ticks.push({ atMs, unit });
  }
}
