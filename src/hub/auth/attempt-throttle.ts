import type { Clock } from "../../common/clock.ts";

export interface ThrottleOptions {
  clock: Clock;
  /** Failures that cost nothing. */
  free: number;
  /** Longest wait between two attempts, ms. */
  maxWaitMs: number;
  /** Names that are remembered; the one not heard of for longest is forgotten first. */
  maxEntries?: number;
}

/** Without a failure for so long, all is forgotten. */
const forgetAfterMs = 15 * 60_000;

/**
 * Slows down guessing: after `free` failures under one name, each attempt has to wait twice as long after the one
 * before, up to `maxWaitMs`. An attempt counts as failed when it begins, so a hundred at once are not free either.
 */
export class AttemptThrottle {
  readonly #options: Required<ThrottleOptions>;
  readonly #entries = new Map<string, { failures: number; lastMs: number }>();

  constructor(options: ThrottleOptions) {
    this.#options = { maxEntries: 10_000, ...options };
  }

  /** Milliseconds until the next attempt under `name` is let through; 0 lets this one through and counts it. */
  attempt(name: string): number {
    const { clock, free, maxWaitMs, maxEntries } = this.#options;
    const now = clock.monotonicMs();
    const known = this.#entries.get(name);
    const entry = known && now - known.lastMs < forgetAfterMs ? known : { failures: 0, lastMs: now };
    const over = entry.failures - free;
    const waitMs = over < 0 ? 0 : Math.min(maxWaitMs, 1000 * 2 ** Math.min(over, 20));
    const restMs = entry.lastMs + waitMs - now;
    if (waitMs > 0 && restMs > 0) return Math.ceil(restMs);
    this.#entries.delete(name);
    this.#entries.set(name, { failures: entry.failures + 1, lastMs: now });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries) break;
      this.#entries.delete(oldest);
    }
    return 0;
  }

  /** The attempt did not fail. */
  succeeded(name: string): void {
    this.#entries.delete(name);
  }

  /** The attempt was not made after all. */
  takeBack(name: string): void {
    const entry = this.#entries.get(name);
    if (entry) entry.failures--;
  }
}
