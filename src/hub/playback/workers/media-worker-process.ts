import { rm } from "node:fs/promises";
import { type Child, startChild } from "../../../common/child-process.ts";
import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import type { ByteRange } from "../../http/range.ts";
import { type Filled, SharedMemory } from "./shared-memory.ts";
import { checkedAnswer, type FileRequest, formatFileRequest, readyMessage } from "./worker-wire.ts";

const startDeadlineMs = 10_000;

export interface MediaWorkerProcess {
  /** Requests whose answer has not begun. */
  readonly waiting: number;
  readonly isAlive: boolean;
  /** When it answered something last, or was started. */
  readonly lastAnswerMs: number;
  /** Asks, and resolves when the answer begins. Throws `unavailable` when the worker ended, then or afterwards. */
  ask(path: string, body?: Uint8Array<ArrayBuffer>): Promise<Response>;
  /** Reads at most {@link windowBytes}. Throws what the worker threw, too. */
  fill(request: FileRequest & { range: ByteRange }): Promise<Filled>;
  /** Kills it and waits for nothing: a process that hangs in the kernel ends when the archive answers again. */
  abandon(): void;
  /** Resolves when the process is gone. */
  ended: Promise<void>;
}

/** Starts a worker and waits until it listens; it touches the archive only when asked. Throws `unavailable`. */
export async function startMediaWorker(options: {
  selfCommand: readonly string[];
  root: string;
  socketPath: string;
  clock: Pick<Clock, "monotonicMs">;
}): Promise<MediaWorkerProcess> {
  const { selfCommand, root, socketPath, clock } = options;
  const ready = Promise.withResolvers<void>();
  using shared = SharedMemory.create();
  const { memory } = shared;
  const child: Child = startChild({
    argv: [...selfCommand, "media-worker", "--socket", socketPath, "--memory", shared.path, "--", root],
    onMessage: (message) => message === readyMessage && ready.resolve(),
  });
  const over = new AbortController();
  const end = (reason: AppError) => {
    over.abort(reason);
    memory.end(reason);
  };
  const ended = child.exited.then(async ({ stderrTail }) => {
    const cause = stderrTail === "" ? undefined : new Error(stderrTail.trim());
    const error = new AppError("unavailable", "a media worker ended", { cause });
    ready.reject(error);
    end(error);
    await rm(socketPath, { force: true });
  });
  const abandon = () => {
    end(new AppError("unavailable", "the archive does not answer"));
    child.kill("SIGKILL");
  };
  const tooSlow = setTimeout(() => {
    ready.reject(new AppError("unavailable", "a media worker did not start in time"));
    abandon();
  }, startDeadlineMs);
  try {
    await ready.promise;
  } finally {
    clearTimeout(tooSlow);
  }

  let waiting = 0;
  let lastAnswerMs = clock.monotonicMs();
  async function send(path: string, body?: Uint8Array<ArrayBuffer>) {
    try {
      const answer = await fetch(`http://worker/${path}`, {
        unix: socketPath,
        signal: over.signal,
        ...(body && { method: "PUT", body }),
      });
      lastAnswerMs = clock.monotonicMs();
      return answer;
    } catch (cause) {
      if (over.signal.aborted) throw over.signal.reason;
      throw new AppError("unavailable", "a media worker does not answer", { cause });
    }
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
    get isAlive() {
      return !over.signal.aborted;
    },
    ended,
    abandon,
    ask: (path, body) => counted(() => send(path, body)),
    fill: (request) =>
      counted(async () => {
        const window = await memory.reserve();
        // One that the worker may still write into is never given back.
        const answer = await send(`fill?${formatFileRequest({ ...request, window })}`);
        try {
          const tag = await (await checkedAnswer(answer)).text();
          return memory.filled(window, request.range.end - request.range.start, tag);
        } catch (error) {
          memory.giveBack(window);
          throw error;
        }
      }),
  };
}
