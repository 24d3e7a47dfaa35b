import type { Clock } from "../../../common/clock.ts";
import { AppError, errorCodeOf } from "../../../common/errors.ts";
import type { Logger } from "../../../common/log.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { type MediaWorkerProcess, startMediaWorker } from "./media-worker-process.ts";
import type { Filled } from "./shared-memory.ts";
import type { Argument, Result, WorkerOperation } from "./worker-wire.ts";

/** A worker does one blocking call at a time; a network file system is quick only with several under way. */
const maxWorkers = 4;
/** With those that were given up and hang in the kernel until the archive answers again. */
const maxProcesses = 6;

/** What takes longer than so many deadlines hangs even where others are answered: they may be told from memory. */
const maxDeadlines = 3;

export interface MediaWorkersOptions {
  selfCommand: readonly string[];
  root: string;
  clock: Pick<Clock, "monotonicMs">;
  logger: Logger;
  /** How long a worker that is asked something may answer nothing. */
  deadlineMs?: number;
  /** How long nobody is let through after that. */
  retryMs?: number;
}

/**
 * The processes that read the archive when it lies where reading may hang. They are started when they are needed and
 * stay. One that does not answer in time is killed and not waited for; meanwhile everything is refused at once.
 */
export class MediaWorkers implements Disposable {
  readonly #options: MediaWorkersOptions;
  readonly #deadlineMs: number;
  readonly #breaker: CircuitBreaker;
  readonly #workers = new Set<MediaWorkerProcess>();
  #starting: Promise<MediaWorkerProcess> | undefined;
  #processes = 0;
  #isClosed = false;

  constructor(options: MediaWorkersOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#breaker = new CircuitBreaker({ clock: options.clock, retryMs: options.retryMs ?? 5_000 });
  }

  /** Processes that are there, those given up that have not ended included. */
  get processCount(): number {
    return this.#processes;
  }

  /** Throws what the worker threw, and `unavailable` when the archive does not answer, or did not a moment ago. */
  ask<Name extends WorkerOperation>(operation: Name, argument: Argument<Name>): Promise<Result<Name>> {
    return this.#use((worker) => worker.ask(operation, argument));
  }

  /** Reads at most {@link windowBytes} of a file. Throws as `ask` does. */
  fill(request: Omit<Argument<"fill">, "window">): Promise<Filled> {
    return this.#use((worker) => worker.fill(request));
  }

  async #use<T>(call: (worker: MediaWorkerProcess) => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.run(() => this.#useOne(call), isTimeout);
    } catch (error) {
      if (isTimeout(error))
        throw new AppError("unavailable", "the archive does not answer", { cause: error });
      throw error;
    }
  }

  async #useOne<T>(call: (worker: MediaWorkerProcess) => Promise<T>): Promise<T> {
    const worker = await this.#take();
    const { clock } = this.#options;
    const startedAtMs = clock.monotonicMs();
    const silent = Promise.withResolvers<never>();
    // Many may wait at a slow archive; one that hangs answers none of them.
    const look = () => {
      const lastAnswerMs = Math.min(worker.lastAnswerMs, startedAtMs + (maxDeadlines - 1) * this.#deadlineMs);
      const restMs = lastAnswerMs + this.#deadlineMs - clock.monotonicMs();
      if (restMs > 0) timer = setTimeout(look, restMs);
      else silent.reject(new AppError("timeout", "the archive does not answer"));
    };
    let timer = setTimeout(look, this.#deadlineMs);
    try {
      return await Promise.race([call(worker), silent.promise]);
    } catch (error) {
      if (isTimeout(error)) this.#giveUp(worker);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The one with the least to do, or a new one when all have something to do. */
  async #take(): Promise<MediaWorkerProcess> {
    if (this.#isClosed) throw new AppError("unavailable", "the hub is being stopped");
    const [best] = [...this.#workers].sort((a, b) => a.waiting - b.waiting);
    if (best?.waiting === 0) return best;
    const mayStart = this.#workers.size < maxWorkers && this.#processes < maxProcesses;
    if (best !== undefined) {
      // The new one is for those who come next.
      if (mayStart) void this.#start().catch(() => undefined);
      return best;
    }
    if (!mayStart && this.#starting === undefined) {
      // All there may be hang: only the archive can end them.
      throw new AppError("timeout", `the archive does not answer; ${this.#processes} workers hang`);
    }
    return this.#start();
  }

  #start(): Promise<MediaWorkerProcess> {
    this.#starting ??= this.#startOne().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #startOne(): Promise<MediaWorkerProcess> {
    const { selfCommand, root, clock } = this.#options;
    this.#processes++;
    try {
      const worker = await startMediaWorker({ selfCommand, root, clock });
      void worker.ended.then(() => {
        this.#processes--;
        this.#workers.delete(worker);
      });
      if (this.#isClosed) worker.abandon();
      else this.#workers.add(worker);
      return worker;
    } catch (error) {
      this.#processes--;
      throw error;
    }
  }

  #giveUp(worker: MediaWorkerProcess): void {
    if (!this.#workers.delete(worker)) return;
    worker.abandon();
    this.#options.logger.warning("a media worker hangs and was given up", { processes: this.#processes });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const worker of this.#workers) worker.abandon();
    this.#workers.clear();
  }
}

function isTimeout(error: unknown): boolean {
  return errorCodeOf(error) === "timeout";
}
