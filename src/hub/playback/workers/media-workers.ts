import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../../common/clock.ts";
import { AppError, errorCodeOf } from "../../../common/errors.ts";
import type { Logger } from "../../../common/log.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { type MediaWorkerProcess, startMediaWorker } from "./media-worker-process.ts";

/** A worker does one blocking call at a time; a network file system is quick only with several under way. */
const maxWorkers = 4;
/** With those that were given up and hang in the kernel until the archive answers again. */
const maxProcesses = 6;

export interface MediaWorkersOptions {
  selfCommand: readonly string[];
  root: string;
  clock: Pick<Clock, "monotonicMs">;
  logger: Logger;
  /** How long an answer may take to begin, and a ping in the middle of one. */
  deadlineMs?: number;
  /** How long nobody is let through after that. */
  retryMs?: number;
  /** How often a worker has to show that it does not hang. */
  pingMs?: number;
}

/**
 * The processes that read the archive when it lies where reading may hang. They are started when they are needed and
 * stay. One that does not answer in time is killed and not waited for; meanwhile everything is refused at once.
 */
export class MediaWorkers implements AsyncDisposable {
  readonly #options: MediaWorkersOptions;
  readonly #deadlineMs: number;
  readonly #breaker: CircuitBreaker;
  readonly #workers = new Set<MediaWorkerProcess>();
  #folder: string | undefined;
  #starting: Promise<MediaWorkerProcess> | undefined;
  #processes = 0;
  #started = 0;
  #isClosed = false;
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor(options: MediaWorkersOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#breaker = new CircuitBreaker({ clock: options.clock, retryMs: options.retryMs ?? 5_000 });
  }

  /** Processes that are there, those given up that have not ended included. */
  get processCount(): number {
    return this.#processes;
  }

  /**
   * Asks a worker and gives its answer to `read`, all within the deadline. What `read` leaves of a body may be taken as
   * slowly as one likes. Throws `unavailable` when the archive does not answer, or did not a moment ago.
   */
  async ask<T>(
    path: string,
    read: (answer: Response) => Promise<T>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<T> {
    try {
      return await this.#breaker.run(() => this.#askOne(path, read, body), isTimeout);
    } catch (error) {
      if (isTimeout(error))
        throw new AppError("unavailable", "the archive does not answer", { cause: error });
      throw error;
    }
  }

  async #askOne<T>(
    path: string,
    read: (answer: Response) => Promise<T>,
    body: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<T> {
    const worker = await this.#take();
    const late = new AppError("timeout", "the archive does not answer");
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => deadline.reject(late), this.#deadlineMs);
    try {
      const answer = worker.ask(path, { deadlineMs: this.#deadlineMs, body }).then(read);
      return await Promise.race([answer, deadline.promise]);
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
    const { selfCommand, root } = this.#options;
    this.#processes++;
    try {
      this.#folder ??= await mkdtemp(join(tmpdir(), "livecam-media-"));
      const socketPath = join(this.#folder, `${this.#started++}.sock`);
      const worker = await startMediaWorker({ selfCommand, root, socketPath });
      void worker.ended.then(() => {
        this.#processes--;
        this.#workers.delete(worker);
      });
      if (this.#isClosed) worker.abandon();
      else this.#workers.add(worker);
      this.#pings ??= setInterval(() => void this.#pingAll(), this.#options.pingMs ?? 2_000);
      return worker;
    } catch (error) {
      this.#processes--;
      throw error;
    }
  }

  /** A worker that hangs in the middle of a body answers nothing else either. */
  async #pingAll(): Promise<void> {
    await Promise.all(
      [...this.#workers].map((worker) =>
        worker.ask("ping", { deadlineMs: this.#deadlineMs }).catch((error: unknown) => {
          if (isTimeout(error)) this.#giveUp(worker);
        }),
      ),
    );
  }

  #giveUp(worker: MediaWorkerProcess): void {
    if (!this.#workers.delete(worker)) return;
    worker.abandon();
    this.#options.logger.warning("a media worker hangs and was given up", { processes: this.#processes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#pings);
    for (const worker of this.#workers) worker.abandon();
    this.#workers.clear();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

function isTimeout(error: unknown): boolean {
  return errorCodeOf(error) === "timeout";
}
