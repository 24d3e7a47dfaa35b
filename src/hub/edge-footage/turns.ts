import { AppError } from "../../common/errors.ts";

/** Lets at most so many work at a time, in order, and no more than `most` wait. */
export class Turns {
  readonly #atOnce: number;
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(atOnce: number, most: number) {
    this.#atOnce = atOnce;
    this.#most = most;
  }

  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /** Throws `unavailable` when too many wait, `cancelled` when `signal` aborts before the turn has come, and what `work` throws. */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#taken < this.#atOnce) this.#taken++;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      // A turn is handed over, so that nobody steps in between.
      if (next) next();
      else this.#taken--;
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= this.#most) {
      throw new AppError("unavailable", "too much is asked of the node at once; try again in a moment");
    }
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(begin);
        signal?.removeEventListener("abort", leave);
      };
      const begin = () => {
        end();
        resolve();
      };
      const leave = () => {
        end();
        reject(new AppError("cancelled", "nobody waits for it any more"));
      };
      this.#waiting.add(begin);
      if (signal?.aborted) leave();
      else signal?.addEventListener("abort", leave, { once: true });
    });
  }
}

/** {@link Turns} of each of many, as long as somebody takes them. */
export class TurnsByName {
  readonly #make: () => Turns;
  readonly #turns = new Map<string, Turns>();

  constructor(make: () => Turns) {
    this.#make = make;
  }

  async take<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turns = this.#turns.get(name) ?? this.#make();
    this.#turns.set(name, turns);
    try {
      return await turns.take(work, signal);
    } finally {
      if (turns.isIdle) this.#turns.delete(name);
    }
  }
}
