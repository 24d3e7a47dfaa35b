import * as v from "valibot";
import { systemClock } from "../../common/clock.ts";
import { AppError, describeError, errorCodeOf } from "../../common/errors.ts";
import { readSecret } from "../../common/secret.ts";
import { identityOf } from "../../common/segment-identity.ts";
import type { ArchiveDestination } from "./archive-destination.ts";
import { PathDestination } from "./path-destination.ts";
import { SmbDestination } from "./smb-destination.ts";
import { type WorkerAnswer, WorkerRequest } from "./worker-protocol.ts";

/** Progress is told so often at most; the last byte always. */
const progressEveryMs = 200;

type Env = Readonly<Record<string, string | undefined>>;

export interface WorkerChannel {
  send(answer: WorkerAnswer): void;
  onRequest(listener: (request: unknown) => void): void;
}

/**
 * The upload worker: the only process that touches the destination, so it is the one that hangs when the NAS does.
 * It lives until its parent lets go of it.
 */
export function serveArchiveRequests(channel: WorkerChannel, env: Env): void {
  const running = new Map<number, AbortController>();
  channel.onRequest((message) => {
    const request = v.parse(WorkerRequest, message);
    if (request.kind === "cancel") {
      running.get(request.id)?.abort();
      return;
    }
    const { id } = request;
    const controller = new AbortController();
    running.set(id, controller);
    answer(request, env, controller.signal, (progress) => channel.send(progress))
      .catch((error: unknown): WorkerAnswer => failure(id, error))
      .then((result) => {
        running.delete(id);
        channel.send(result);
      });
  });
}

type Task = Exclude<v.InferOutput<typeof WorkerRequest>, { kind: "cancel" }>;

async function answer(
  request: Task,
  env: Env,
  signal: AbortSignal,
  tell: (progress: WorkerAnswer) => void,
): Promise<WorkerAnswer> {
  const { id } = request;
  const destination = createDestination(request, env);
  if (request.kind === "check") {
    const { ...result } = await destination.check();
    return { kind: "check", id, result };
  }
  let toldMs = Number.NEGATIVE_INFINITY;
  const result = await destination.put(
    {
      sourcePath: request.source_path,
      identity: identityOf(request.identity),
      expectedArchiveId: request.expected_archive_id ?? undefined,
    },
    {
      signal,
      onProgress: (written, total) => {
        const nowMs = systemClock.monotonicMs();
        if (nowMs - toldMs < progressEveryMs && written < total) return;
        toldMs = nowMs;
        tell({ kind: "progress", id, written, total });
      },
    },
  );
  return { kind: "put", id, result };
}

/** The adapters, by the type that the config names. */
function createDestination({ destination, run_folder }: Task, env: Env): ArchiveDestination {
  switch (destination.type) {
    case "path":
      return new PathDestination({ path: destination.path });
    case "smb":
      return new SmbDestination({
        config: destination,
        password: () => readSecret(destination.password, env),
        runFolder: run_folder,
      });
  }
}

function failure(id: number, error: unknown): WorkerAnswer {
  const details = error instanceof AppError ? { ...error.details } : {};
  return { kind: "failed", id, code: errorCodeOf(error), message: describeError(error), details };
}
