import { type Clock, sleep, systemClock } from "../common/clock.ts";
import { AppError } from "../common/errors.ts";

export interface RateLimitOptions {
  bytesPerSecond: number;
  clock?: Clock;
  pause?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A step is what goes out in one go: so long a part of a second. */
const stepMs = 125;
/** A timer that came late may be made up for by so much, or the limit would never be reached. */
const creditMs = 250;

/** Lets bytes pass in small steps, evenly in time, however many there are who want to send. */
export class RateLimit {
  readonly bytesPerSecond: number;
  readonly stepBytes: number;
  readonly #clock: Clock;
  readonly #pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** When everything that was let pass so far has had its time; monotonic. */
  #paidAtMs = Number.NEGATIVE_INFINITY;

  constructor({ bytesPerSecond, clock, pause }: RateLimitOptions) {
    this.bytesPerSecond = bytesPerSecond;
    this.stepBytes = Math.max(1, Math.floor((bytesPerSecond * stepMs) / 1000));
    this.#clock = clock ?? systemClock;
    this.#pause = pause ?? sleep;
  }

  /** Resolves when `bytes`, at most a step, may go out. Throws `cancelled` when `signal` aborts. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const turnMs = Math.max(nowMs - creditMs, this.#paidAtMs);
    this.#paidAtMs = turnMs + (bytes / this.bytesPerSecond) * 1000;
    if (turnMs > nowMs) await this.#pause(turnMs - nowMs, signal);
    if (signal?.aborted) throw new AppError("cancelled", "it is not wanted any more");
  }
}
