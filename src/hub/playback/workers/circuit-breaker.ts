import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";

/**
 * After one call that was not answered in time all are refused for a while, so that nobody waits for what hangs and
 * nothing piles up behind it. Then one call tries whether it is over, and the others are refused until it knows.
 */
export class CircuitBreaker {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #retryMs: number;
  #refuseUntilMs: number | undefined;
  #isTrying = false;

  constructor(options: { clock: Pick<Clock, "monotonicMs">; retryMs: number }) {
    this.#clock = options.clock;
    this.#retryMs = options.retryMs;
  }

  /** Throws `unavailable` while calls are refused. `hangs` says whether an error of `call` means that nothing answers. */
  async run<T>(call: () => Promise<T>, hangs: (error: unknown) => boolean): Promise<T> {
    const isTrial = this.#refuseUntilMs !== undefined;
    if (isTrial) {
      if (this.#isTrying || this.#clock.monotonicMs() < (this.#refuseUntilMs ?? 0)) throw refused();
      this.#isTrying = true;
    }
    try {
      const result = await call();
      // A call from before says nothing of now.
      if (isTrial) this.#refuseUntilMs = undefined;
      return result;
    } catch (error) {
      if (hangs(error)) this.#refuseUntilMs = this.#clock.monotonicMs() + this.#retryMs;
      else if (isTrial) this.#refuseUntilMs = undefined;
      throw error;
    } finally {
      if (isTrial) this.#isTrying = false;
    }
  }
}

function refused(): AppError {
  return new AppError("unavailable", "the archive does not answer");
}
