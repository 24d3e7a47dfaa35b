/** A fragment's arrival: when its last byte was there, and how far its media reaches on the run's own time line. */
export interface Observation {
  mediaEndMs: number;
  wallMs: number;
  monotonicMs: number;
}

/** Media time over which the least delay is looked for before corrections become slow. */
const settlingMs = 10_000;
/** Time over which the least delay is looked for later on. */
const windowMs = 30_000;
/** Slowest correction, as a share of the time: the most that NTP slews a clock by. */
const minSlew = 0.0005;
/** A larger deviation is corrected faster, so that a source that is always a little slow stays near the truth. */
const correctWithinMs = 60_000;
/** So much earlier than its own media time nothing arrives, unless the source's times jumped ahead. */
const earlyJumpMs = 10_000;
/** So much later everything arrives only when the source's times fell back or stood still. */
const lateJumpMs = 30_000;
/** The wall clock was stepped when it left monotonic time by so much; anything less is slewed. */
const stepMs = 500;

/**
 * The clock of one run: which wall time a moment of its media had. Anchored by the least of arrival minus media end
 * over the early fragments, since start-up can only make a fragment late; from there on it follows monotonic time,
 * corrected slowly. A step of the wall clock does not move it: {@link stepOffsetMs} tells of the step, and whoever
 * starts anew takes {@link realigned}. Pure given its inputs.
 */
export class RunClock {
  /** Monotonic time of the media's zero. */
  #mediaZeroMs: number;
  /** Wall minus monotonic time, slewed. */
  #wallOffsetMs: number;
  #newestWallOffsetMs: number;
  readonly #firstMediaMs: number;
  #last: Observation;
  #windowMs = 0;
  /** Least deviation seen in the running window. */
  #windowLeastMs = Number.POSITIVE_INFINITY;
  /** What is left to correct. */
  #pendingMs = 0;

  constructor(first: Observation) {
    this.#mediaZeroMs = first.monotonicMs - first.mediaEndMs;
    this.#wallOffsetMs = first.wallMs - first.monotonicMs;
    this.#newestWallOffsetMs = this.#wallOffsetMs;
    this.#firstMediaMs = first.mediaEndMs;
    this.#last = first;
  }

  /** Wall time of a moment of the media, whole ms since 1970 UTC. */
  wallAt(mediaMs: number): number {
    return Math.round(mediaMs + this.#mediaZeroMs + this.#wallOffsetMs);
  }

  /**
   * Takes a fragment's arrival into account. False, and nothing is changed, when the source's times jumped against
   * ours: what follows needs a clock of its own.
   */
  observe(observation: Observation): boolean {
    const { mediaEndMs, wallMs, monotonicMs } = observation;
    const deviationMs = monotonicMs - mediaEndMs - this.#mediaZeroMs;
    if (deviationMs < -earlyJumpMs) return false;
    const leastMs = Math.min(this.#windowLeastMs, deviationMs);
    const elapsedMs = this.#elapsedMs(observation);
    const isWindowOver = this.#windowMs + elapsedMs >= windowMs;
    if (isWindowOver && leastMs > lateJumpMs) return false;

    this.#last = observation;
    this.#windowMs += elapsedMs;
    this.#windowLeastMs = leastMs;
    this.#followWall(wallMs - monotonicMs, elapsedMs);
    if (mediaEndMs - this.#firstMediaMs <= settlingMs) {
      this.#correct(Math.min(0, deviationMs));
      return true;
    }
    if (isWindowOver) {
      this.#pendingMs = leastMs;
      this.#windowMs = 0;
      this.#windowLeastMs = Number.POSITIVE_INFINITY;
    }
    const byMs = slewed(this.#pendingMs, elapsedMs);
    this.#pendingMs -= byMs;
    this.#correct(byMs);
    return true;
  }

  /** How far the wall clock has been stepped away from this clock; 0 while it was not. */
  get stepOffsetMs(): number {
    const offset = this.#newestWallOffsetMs - this.#wallOffsetMs;
    return Math.abs(offset) > stepMs ? Math.round(offset) : 0;
  }

  /** Wall minus monotonic time, as this clock has it. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  /** The same clock, set by the wall clock as it is now. */
  realigned(): RunClock {
    const { mediaEndMs } = this.#last;
    const monotonicMs = mediaEndMs + this.#mediaZeroMs;
    return new RunClock({ mediaEndMs, monotonicMs, wallMs: monotonicMs + this.#newestWallOffsetMs });
  }

  /**
   * Time since the last fragment, of what both clocks saw. Neither counts alone: after a standstill much time has gone
   * by at once, and then much media comes at once.
   */
  #elapsedMs({ mediaEndMs, monotonicMs }: Observation): number {
    return Math.max(0, Math.min(mediaEndMs - this.#last.mediaEndMs, monotonicMs - this.#last.monotonicMs));
  }

  #followWall(offsetMs: number, elapsedMs: number): void {
    this.#newestWallOffsetMs = offsetMs;
    if (this.stepOffsetMs === 0) this.#wallOffsetMs += slewed(offsetMs - this.#wallOffsetMs, elapsedMs);
  }

  #correct(byMs: number): void {
    this.#mediaZeroMs += byMs;
    this.#windowLeastMs -= byMs;
  }
}

/** The part of a correction that may be made within `elapsedMs`. */
function slewed(wantedMs: number, elapsedMs: number): number {
  const limitMs = elapsedMs * Math.max(minSlew, Math.abs(wantedMs) / correctWithinMs);
  return Math.max(-limitMs, Math.min(limitMs, wantedMs));
}
