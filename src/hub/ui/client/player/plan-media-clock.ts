/** A stretch of the player's own time over which the clock on the wall runs along with it. */
export interface Stretch {
  /** In the player's seconds. */
  start: number;
  seconds: number;
  /** Of its start, in ms since 1970 UTC. */
  wallMs: number;
}

/** As hls.js tells them, in order. */
export interface PlayerPart {
  start: number;
  duration: number;
  programDateTime: number | null;
  /** Counts discontinuities. */
  cc: number;
}

/** Clocks that differ by less are one: rounding to milliseconds, part by part. */
const sameMs = 20;
/** A player that is sent to the beginning of a stretch may stand a little before it. */
const roundingSeconds = 0.01;

/** Joins parts that follow each other in both times. Pure, as is everything here. */
export function planStretches(parts: readonly PlayerPart[]): Stretch[] {
  const stretches: Stretch[] = [];
  let cc = -1;
  for (const part of parts) {
    if (part.programDateTime === null) continue;
    const last = stretches.at(-1);
    const offMs = last && last.wallMs + (part.start - last.start) * 1000 - part.programDateTime;
    if (last && part.cc === cc && Math.abs(offMs ?? 0) < sameMs) {
      last.seconds = part.start + part.duration - last.start;
    } else {
      stretches.push({ start: part.start, seconds: part.duration, wallMs: part.programDateTime });
    }
    cc = part.cc;
  }
  return stretches;
}

/** When on the wall a moment of the player was. Undefined without stretches. */
export function wallOf(stretches: readonly Stretch[], seconds: number): number | undefined {
  const at = lastBefore(stretches, seconds + roundingSeconds, ({ start }) => start);
  const stretch = stretches[Math.max(0, at)];
  if (!stretch) return undefined;
  return stretch.wallMs + Math.min(Math.max(0, seconds - stretch.start), stretch.seconds) * 1000;
}

export interface FoundMoment {
  /** In the player's seconds. */
  seconds: number;
  wallMs: number;
}

/** Where the player has a moment, or else the first one after it. Undefined when there is neither. */
export function findMoment(stretches: readonly Stretch[], wallMs: number): FoundMoment | undefined {
  const at = lastBefore(stretches, wallMs, (stretch) => stretch.wallMs);
  const stretch = stretches[at];
  if (stretch && wallMs < stretch.wallMs + stretch.seconds * 1000) {
    return { seconds: stretch.start + (wallMs - stretch.wallMs) / 1000, wallMs };
  }
  const next = stretches[at + 1];
  return next && { seconds: next.start, wallMs: next.wallMs };
}

/** Position of the last whose key is not after the value; -1 when all are. */
function lastBefore<T>(sorted: readonly T[], value: number, keyOf: (one: T) => number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(sorted[middle] as T) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
