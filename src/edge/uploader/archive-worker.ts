import * as v from "valibot";
import { systemClock } from "../../common/clock.ts";
import { AppError, describeError, errorCodeOf } from "../../common/errors.ts";
import { formatSegmentIdentity, identityOf } from "../../common/segment-identity.ts";
import { RateLimit } from "../rate-limit.ts";
import { createDestination } from "./create-destination.ts";
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
  const open = openedDestinations(env);
  const limits = sharedLimits();
  channel.onRequest((message) => {
    const request = v.parse(WorkerRequest, message);
    if (request.kind === "cancel") {
      running.get(request.id)?.abort();
      return;
    }
    const { id } = request;
    const controller = new AbortController();
    running.set(id, controller);
    const context = { limits, signal: controller.signal };
    answer(request, open(request), context, (progress) => channel.send(progress))
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
  destination: ReturnType<typeof createDestination>,
  { signal, limits }: { signal: AbortSignal; limits: ReturnType<typeof sharedLimits> },
  tell: (progress: WorkerAnswer) => void,
): Promise<WorkerAnswer> {
  const { id } = request;
  if (request.kind === "close") {
    await destination.close?.();
    return { kind: "closed", id };
  }
  if (request.kind === "check") {
    const { ...result } = await destination.check();
    return { kind: "check", id, result };
  }
  if (request.kind === "try_writing") {
    if (!destination.tryWriting) throw new AppError("internal", "this destination cannot be tried");
    await destination.tryWriting(request.expected_archive_id ?? undefined);
    return { kind: "written", id };
  }
  let toldMs = Number.NEGATIVE_INFINITY;
  const { identity, ...result } = await destination.put(
    {
      sourcePath: request.source_path,
      tablesPath: request.tables_path ?? undefined,
      identity: identityOf(request.identity),
      spoolChecksum: request.spool_checksum ?? undefined,
      expectedArchiveId: request.expected_archive_id ?? undefined,
    },
    {
      signal,
      limit: limits(request.max_bytes_per_second),
      onProgress: (written, total) => {
        const nowMs = systemClock.monotonicMs();
        if (nowMs - toldMs < progressEveryMs && written < total) return;
        toldMs = nowMs;
        tell({ kind: "progress", id, written, total });
      },
    },
  );
  return {
    kind: "put",
    id,
    result: { ...result, ...(identity && { identity: formatSegmentIdentity(identity) }) },
  };
}

/** One destination per config, since one may hold a mount. */
function openedDestinations(env: Env) {
  const opened = new Map<string, ReturnType<typeof createDestination>>();
  return ({ destination, run_folder }: Task) => {
    const key = JSON.stringify([destination, run_folder]);
    const found = opened.get(key) ?? createDestination(destination, { env, runFolder: run_folder });
    opened.set(key, found);
    return found;
  };
}

/** One limit per rate, so that uploads one after the other stay below it together. */
function sharedLimits() {
  const limits = new Map<number, RateLimit>();
  return (bytesPerSecond: number | null): RateLimit | undefined => {
    if (bytesPerSecond === null) return undefined;
    const limit = limits.get(bytesPerSecond) ?? new RateLimit({ bytesPerSecond });
    limits.set(bytesPerSecond, limit);
    return limit;
  };
}

function failure(id: number, error: unknown): WorkerAnswer {
  const details = error instanceof AppError ? { ...error.details } : {};
  return { kind: "failed", id, code: errorCodeOf(error), message: describeError(error), details };
}
