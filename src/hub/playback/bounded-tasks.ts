import { AppError } from "../../common/errors.ts";

/**
 * Runs at most `concurrency` tasks at a time, keeps at most `queueLength` waiting, in order, and refuses more with
 * `unavailable`. A task asked for while the same key waits or runs is not run twice: both get its result.
 */
export class BoundedTasks<T> {
  readonly #concurrency: number;
  readonly #queueLength: number;
  readonly #byKey = new Map<string, Promise<T>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: { concurrency: number; queueLength: number }) {
    this.#concurrency = options.concurrency;
    this.#queueLength = options.queueLength;
  }

  /** Running and waiting tasks. */
  get size(): number {
    return this.#byKey.size;
  }

  run(key: string, task: () => Promise<T>): Promise<T> {
    const known = this.#byKey.get(key);
    if (known) return known;
    if (this.#waiting.length >= this.#queueLength) {
      return Promise.reject(
        new AppError("unavailable", "too much is asked for at once; try again in a moment"),
      );
    }
    const result = this.#runInTurn(task).finally(() => this.#byKey.delete(key));
    this.#byKey.set(key, result);
    return result;
  }

  async #runInTurn(task: () => Promise<T>): Promise<T> {
    // A turn is handed over, not given back and taken: nobody can step in between.
    if (this.#running >= this.#concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
