import * as v from "valibot";
import { type Child, type ChildExit, startChild } from "../../common/child-process.ts";
import { systemClock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { WorkerAnswer, type WorkerRequest } from "./worker-protocol.ts";

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;
export type WorkerTask = Unnumbered<Exclude<WorkerRequest, { kind: "cancel" }>>;
export type TaskAnswer = Exclude<WorkerAnswer, { kind: "progress" | "failed" }>;

export interface TaskOptions {
  /** Without an answer or progress for so long, the worker counts as stuck. */
  stallMs: number;
  onProgress?: ((writtenBytes: number, totalBytes: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

interface Pending {
  settle(outcome: TaskAnswer | AppError): void;
  progress(written: number, total: number): void;
}

/**
 * While others in the same worker show progress, one that shows none is left so many times as long: a segment that is
 * made durable shares the line with the next one, which is being sent.
 */
const besideOthers = 5;

/** One upload worker process, for as long as it lives. */
export class UploadWorker {
  readonly #child: Child;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  /** When any task showed progress last; monotonic. */
  #movedAtMs = Number.NEGATIVE_INFINITY;
  #over = false;

  constructor(options: { command: readonly string[]; onStderrLine: (line: string) => void }) {
    this.#child = startChild({
      argv: options.command,
      onStderrLine: options.onStderrLine,
      onMessage: (message) => this.#receive(message),
    });
    this.#child.exited.then((exit) => this.#end(endedError(exit)));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it takes tasks. */
  get alive(): boolean {
    return !this.#over;
  }

  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Resolves when the process is gone, which for one that hangs in the kernel may be never. */
  get exited(): Promise<ChildExit> {
    return this.#child.exited;
  }

  /**
   * Rejects with what the worker said; with `timeout` when it shows no progress, and is then killed with everything
   * else it was asked for; with `internal` when it ended.
   */
  run(task: WorkerTask, { stallMs, onProgress, signal }: TaskOptions): Promise<TaskAnswer> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<TaskAnswer>();
    let movedAtMs = systemClock.monotonicMs();
    const look = () => {
      const untilMs = Math.min(
        Math.max(movedAtMs, this.#movedAtMs) + stallMs,
        movedAtMs + besideOthers * stallMs,
      );
      const leftMs = untilMs - systemClock.monotonicMs();
      if (leftMs > 0) timer = setTimeout(look, leftMs);
      else this.#stalled(stallMs);
    };
    let timer = setTimeout(look, stallMs);
    const cancel = () => this.#send({ kind: "cancel", id });
    this.#pending.set(id, {
      progress: (written, total) => {
        movedAtMs = this.#movedAtMs = systemClock.monotonicMs();
        onProgress?.(written, total);
      },
      settle: (outcome) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", cancel);
        this.#pending.delete(id);
        if (outcome instanceof AppError) reject(outcome);
        else resolve(outcome);
      },
    });
    this.#send({ ...task, id });
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
    return promise;
  }

  #stalled(stallMs: number): void {
    this.#end(new AppError("timeout", `the archive made no progress for ${Math.round(stallMs / 1000)} s`));
    this.#child.kill("SIGKILL");
  }

  /** Ends it at once. */
  kill(): void {
    this.#end(new AppError("cancelled", "the upload worker was stopped"));
    this.#child.kill("SIGKILL");
  }

  #send(request: WorkerRequest): void {
    try {
      this.#child.send(request);
    } catch (cause) {
      this.#end(new AppError("internal", "the upload worker cannot be reached", { cause }));
    }
  }

  #receive(message: unknown): void {
    const answer = v.parse(WorkerAnswer, message);
    const pending = this.#pending.get(answer.id);
    if (!pending) return;
    if (answer.kind === "progress") pending.progress(answer.written, answer.total);
    else if (answer.kind !== "failed") pending.settle(answer);
    else pending.settle(new AppError(answer.code, answer.message, { details: answer.details }));
  }

  #end(reason: AppError): void {
    this.#over = true;
    for (const pending of [...this.#pending.values()]) pending.settle(reason);
  }
}

function endedError({ exitCode, signal, stderrTail }: ChildExit): AppError {
  const how = signal ? `was killed by ${signal}` : `ended with ${exitCode}`;
  return new AppError("internal", `the upload worker ${how}`, { details: { stderr: stderrTail } });
}
