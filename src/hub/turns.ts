import { AppError } from "../common/errors.ts";

export interface TurnsOptions {
  atOnce: number;
  /** That may wait. */
  most: number;
  /** How long one may wait; by default as long as it takes. */
  maxWaitMs?: number;
  /** What is said to one too many. */
  refusal: string;
}

/** Lets at most so many work at a time, in the order in which they came. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#taken === 0;
  }

  /** As {@link acquire}, for as long as `work` takes; throws what it throws, too. */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    using _turn = await this.acquire(signal);
    return await work();
  }

  /**
   * A turn, until it is disposed of. Throws `unavailable` when too many wait or this one waited too long, `cancelled` when
   * `signal` aborts before its turn has come.
   */
  async acquire(signal?: AbortSignal): Promise<Disposable> {
    if (this.#taken < this.#options.atOnce) this.#taken++;
    else await this.#wait(signal);
    return {
      [Symbol.dispose]: () => {
        const [next] = this.#waiting;
        // A turn is handed over, so that nobody steps in between.
        if (next) next();
        else this.#taken--;
      },
    };
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    const { most, maxWaitMs, refusal } = this.#options;
    const refused = () => new AppError("unavailable", refusal);
    const cancelled = () => new AppError("cancelled", "nobody waits for it any more");
    if (signal?.aborted) throw cancelled();
    if (this.#waiting.size >= most) throw refused();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(begin);
        clearTimeout(timer);
        signal?.removeEventListener("abort", leave);
      };
      const begin = () => {
        end();
        resolve();
      };
      const giveUp = (error: AppError) => {
        end();
        reject(error);
      };
      const leave = () => giveUp(cancelled());
      const timer = maxWaitMs === undefined ? undefined : setTimeout(() => giveUp(refused()), maxWaitMs);
      this.#waiting.add(begin);
      signal?.addEventListener("abort", leave, { once: true });
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
