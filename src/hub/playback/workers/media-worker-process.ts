import * as v from "valibot";
import { startChild } from "../../../common/child-process.ts";
import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import { type Filled, SharedMemory } from "./shared-memory.ts";
import { type Argument, type Result, WorkerAnswer, type WorkerOperation } from "./worker-wire.ts";

const startDeadlineMs = 10_000;

export interface MediaWorkerProcess {
  /** Requests that are not answered yet. */
  readonly waiting: number;
  /** When it answered something last, or was started. */
  readonly lastAnswerMs: number;
  /** Throws what the worker threw, and `unavailable` when it ended. */
  ask<Name extends WorkerOperation>(operation: Name, argument: Argument<Name>): Promise<Result<Name>>;
  /** Reads at most {@link windowBytes}. Throws as `ask` does. */
  fill(request: Omit<Argument<"fill">, "window">): Promise<Filled>;
  /** Kills it and waits for nothing: a process that hangs in the kernel ends when the archive answers again. */
  abandon(): void;
  /** Resolves when the process is gone. */
  ended: Promise<void>;
}

/** Starts a worker and waits until it can be asked; it touches the archive only then. Throws `unavailable`. */
export async function startMediaWorker(options: {
  selfCommand: readonly string[];
  root: string;
  clock: Pick<Clock, "monotonicMs">;
}): Promise<MediaWorkerProcess> {
  const { selfCommand, root, clock } = options;
  using shared = SharedMemory.create();
  const { memory } = shared;
  const ready = Promise.withResolvers<void>();
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  let nextId = 0;
  let waiting = 0;
  let lastAnswerMs = clock.monotonicMs();
  let reason: AppError | undefined;

  const child = startChild({
    argv: [...selfCommand, "media-worker", "--memory", shared.path, "--", root],
    onMessage(message) {
      const answer = v.parse(WorkerAnswer, message);
      lastAnswerMs = clock.monotonicMs();
      if (answer.kind === "ready") return ready.resolve();
      const request = asked.get(answer.id);
      asked.delete(answer.id);
      if (answer.kind === "result") request?.resolve(answer.result);
      else request?.reject(new AppError(answer.code, answer.message));
    },
  });
  const end = (error: AppError) => {
    reason ??= error;
    ready.reject(reason);
    memory.end(reason);
    for (const request of asked.values()) request.reject(reason);
    asked.clear();
  };
  const abandon = (why = "the archive does not answer") => {
    end(new AppError("unavailable", why));
    child.kill("SIGKILL");
  };
  const ended = child.exited.then(({ stderrTail }) => {
    const cause = stderrTail === "" ? undefined : new Error(stderrTail.trim());
    end(new AppError("unavailable", "a media worker ended", { cause }));
  });
  const tooSlow = setTimeout(() => abandon("a media worker did not start in time"), startDeadlineMs);
  try {
    await ready.promise;
  } finally {
    clearTimeout(tooSlow);
  }

  async function send<Name extends WorkerOperation>(operation: Name, argument: Argument<Name>) {
    if (reason !== undefined) throw reason;
    const answer = Promise.withResolvers<unknown>();
    const id = nextId++;
    asked.set(id, answer);
    try {
      child.send({ id, operation, argument });
    } catch (cause) {
      asked.delete(id);
      throw new AppError("unavailable", "a media worker ended", { cause });
    }
    return (await answer.promise) as Result<Name>;
  }
  async function counted<T>(call: () => Promise<T>): Promise<T> {
    waiting++;
    try {
      return await call();
    } finally {
      waiting--;
    }
  }
  return {
    get waiting() {
      return waiting;
    },
    get lastAnswerMs() {
      return lastAnswerMs;
    },
    ended,
    abandon,
    ask: (operation, argument) => counted(() => send(operation, argument)),
    fill: (request) =>
      counted(async () => {
        const window = await memory.reserve();
        try {
          const tag = await send("fill", { ...request, window });
          return memory.filled(window, request.range.end - request.range.start, tag);
        } catch (error) {
          // It may still be written into when the worker was given up; but then nobody gets it any more.
          memory.giveBack(window);
          throw error;
        }
      }),
  };
}
