import { AppError } from "../../common/errors.ts";

interface Entry<T> {
  result: Promise<T>;
  /** Who wait for the result; a caller that cannot give up counts for good. */
  askers: number;
  givenUp: AbortController;
}

/**
 * Runs at most `concurrency` tasks at a time, keeps at most `queueLength` waiting, in order, and refuses more with
 * `unavailable`. A task asked for while the same key waits or runs is not run twice: both get its result. When all who
 * asked for it have given up, a task that waits leaves the queue and one that runs has its signal aborted.
 */
export class BoundedTasks<T> {
  readonly #concurrency: number;
  readonly #queueLength: number;
  readonly #byKey = new Map<string, Entry<T>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: { concurrency: number; queueLength: number }) {
    this.#concurrency = options.concurrency;
    this.#queueLength = options.queueLength;
  }

  /** Running and waiting tasks that somebody wants. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Those that were given up and have not ended included. */
  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** With `asker`, the caller may give up: it is then answered with `cancelled`, at once. */
  run(key: string, task: (givenUp: AbortSignal) => Promise<T>, asker?: AbortSignal): Promise<T> {
    if (asker?.aborted) return Promise.reject(cancelled());
    const known = this.#byKey.get(key);
    if (known) return this.#join(key, known, asker);
    if (this.#waiting.length >= this.#queueLength) {
      return Promise.reject(
        new AppError("unavailable", "too much is asked for at once; try again in a moment"),
      );
    }
    const givenUp = new AbortController();
    const result = this.#runInTurn(task, givenUp.signal).finally(() => this.#forget(key, entry));
    const entry: Entry<T> = { result, askers: 0, givenUp };
    this.#byKey.set(key, entry);
    return this.#join(key, entry, asker);
  }

  #join(key: string, entry: Entry<T>, asker: AbortSignal | undefined): Promise<T> {
    entry.askers++;
    if (asker === undefined) return entry.result;
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(cancelled());
        if (--entry.askers > 0) return;
        // Whoever asks from now on is not to get the end of this one.
        this.#forget(key, entry);
        entry.givenUp.abort();
      };
      asker.addEventListener("abort", leave, { once: true });
      const stay = () => asker.removeEventListener("abort", leave);
      entry.result.finally(stay).then(resolve, reject);
    });
  }

  #forget(key: string, entry: Entry<T>): void {
    if (this.#byKey.get(key) === entry) this.#byKey.delete(key);
  }

  /** Resolves when no task of this key waits or runs; never rejects. */
  async settled(key: string): Promise<void> {
    await this.#byKey.get(key)?.result.catch(() => undefined);
  }

  async #runInTurn(task: (givenUp: AbortSignal) => Promise<T>, givenUp: AbortSignal): Promise<T> {
    // A turn is handed over, not given back and taken: nobody can step in between.
    if (this.#running >= this.#concurrency) await this.#turn(givenUp);
    else this.#running++;
    try {
      return await task(givenUp);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #turn(givenUp: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => {
        givenUp.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(cancelled());
      };
      this.#waiting.push(take);
      givenUp.addEventListener("abort", leave, { once: true });
    });
  }
}

function cancelled(): AppError {
  return new AppError("cancelled", "nobody waits for it any more");
}
