import { rm } from "node:fs/promises";
import { type Child, startChild } from "../../../common/child-process.ts";
import { AppError } from "../../../common/errors.ts";
import { readyMessage } from "./worker-wire.ts";

const startDeadlineMs = 10_000;

export interface MediaWorkerProcess {
  /** Requests whose answer has not begun. */
  readonly waiting: number;
  readonly isAlive: boolean;
  /**
   * Asks, and resolves when the answer begins. Throws `timeout` when that takes too long, and `unavailable` when the
   * worker ended; its answers that are under way then end in the middle.
   */
  ask(
    path: string,
    options: { deadlineMs: number; body?: Uint8Array<ArrayBuffer> | undefined },
  ): Promise<Response>;
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
}): Promise<MediaWorkerProcess> {
  const { selfCommand, root, socketPath } = options;
  const ready = Promise.withResolvers<void>();
  const child: Child = startChild({
    argv: [...selfCommand, "media-worker", "--socket", socketPath, "--", root],
    onMessage: (message) => message === readyMessage && ready.resolve(),
  });
  const over = new AbortController();
  const ended = child.exited.then(async ({ stderrTail }) => {
    const cause = stderrTail === "" ? undefined : new Error(stderrTail.trim());
    const error = new AppError("unavailable", "a media worker ended", { cause });
    ready.reject(error);
    over.abort(error);
    await rm(socketPath, { force: true });
  });
  const abandon = () => {
    over.abort(new AppError("unavailable", "the archive does not answer"));
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
  return {
    get waiting() {
      return waiting;
    },
    get isAlive() {
      return !over.signal.aborted;
    },
    ended,
    abandon,
    async ask(path, { deadlineMs, body }) {
      // Only until the answer begins: how long the rest takes is for the client to say.
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), deadlineMs);
      waiting++;
      try {
        return await fetch(`http://worker/${path}`, {
          unix: socketPath,
          signal: AbortSignal.any([over.signal, deadline.signal]),
          ...(body && { method: "PUT", body }),
        });
      } catch (cause) {
        if (over.signal.aborted) throw over.signal.reason;
        if (deadline.signal.aborted) throw new AppError("timeout", "the archive does not answer", { cause });
        throw new AppError("unavailable", "a media worker does not answer", { cause });
      } finally {
        waiting--;
        clearTimeout(timer);
      }
    },
  };
}
