export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  /** Growth per failure; default 2. */
  factor?: number;
  /** Share of the delay that is random, 0 to 1; default 0.3. Keeps a hundred sites from coming back at once. */
  jitter?: number;
  random?: () => number;
}

/** Exponential backoff. It does not wait itself: callers sleep for what `next()` says, under their own signal. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = { factor: 2, jitter: 0.3, random: Math.random, ...options };
  }

  /** Failures in a row so far. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns the delay in ms before the next try. */
  next(): number {
    const { firstMs, maxMs, factor, jitter, random } = this.#options;
    const full = Math.min(maxMs, firstMs * factor ** this.#failures);
    this.#failures++;
    return Math.round(full * (1 - jitter * random()));
  }

  /** Call on real progress only, never on a mere connection: a retry that resets for ever starves the rest. */
  reset(): void {
    this.#failures = 0;
  }
}
