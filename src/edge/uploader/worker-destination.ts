import { AppError, describeError } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { formatSegmentIdentity, parseSegmentIdentity } from "../../common/segment-identity.ts";
import { type DestinationConfig, isMounted } from "../destination-config.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";
import { type TaskAnswer, type TaskOptions, UploadWorker, type WorkerTask } from "./upload-worker.ts";

export interface WorkerDestinationOptions {
  /** Starts the upload worker: this program, and the hidden command. */
  command: readonly string[];
  destination: DestinationConfig;
  /** For credentials in use, and the folder that is mounted on; default `/run/livecam`. */
  runFolder?: string;
  /** How fast segments may go out; without it, as fast as they can. Asked for each upload anew. */
  maxBytesPerSecond?: Live<number | undefined>;
  /** A worker that shows no progress for so long is given up. */
  stallMs: Live<number>;
  /** A worker with nothing to do ends after so long; default 20 s. */
  idleMs?: number;
  logger: Logger;
}

/** Workers that were killed and are still there hang in the kernel; more than these are not risked. */
const maxStuckWorkers = 2;
const defaultIdleMs = 20_000;
const defaultRunFolder = "/run/livecam";
/** Longer than it takes to ask the server, and a proper and a lazy unmount. */
const closeMs = 9000;

/**
 * Reaches the destination through a child process, which is started when it is needed and given up when it hangs:
 * nothing that a NAS does can block this process, and none of its calls waits for a child to end.
 */
export class WorkerDestination implements ArchiveDestination, Disposable, AsyncDisposable {
  readonly #options: WorkerDestinationOptions;
  #worker: UploadWorker | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #stuck = 0;
  #abandoned = 0;

  constructor(options: WorkerDestinationOptions) {
    this.#options = options;
  }

  /** Workers given up since start. */
  get abandonedWorkers(): number {
    return this.#abandoned;
  }

  async put(request: PutRequest, options: PutOptions = {}): Promise<PutResult> {
    const answer = await this.#run(
      {
        kind: "put",
        ...this.#place,
        source_path: request.sourcePath,
        tables_path: request.tablesPath ?? null,
        identity: formatSegmentIdentity(request.identity),
        spool_checksum: request.spoolChecksum ?? null,
        expected_archive_id: request.expectedArchiveId ?? null,
        max_bytes_per_second: inForce(this.#options.maxBytesPerSecond) ?? null,
      },
      options,
    );
    if (answer.kind !== "put") throw new AppError("internal", "the upload worker answered something else");
    const { identity, ...result } = answer.result;
    return { ...result, ...(identity !== undefined && { identity: parseSegmentIdentity(identity) }) };
  }

  async check(): Promise<ConnectionCheck> {
    try {
      const answer = await this.#run({ kind: "check", ...this.#place }, {});
      if (answer.kind !== "check")
        throw new AppError("internal", "the upload worker answered something else");
      const { result } = answer;
      return result.ok ? { ...result, freeBytes: result.freeBytes } : result;
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  /**
   * Takes off what livecam mounted, for which a worker gets some seconds, and ends it. Never rejects: a mount that
   * stays is found, and used or taken off, by the next start.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { destination, logger } = this.#options;
    if (isMounted(destination)) {
      await this.#run({ kind: "close", ...this.#place }, {}, closeMs).catch((error: unknown) =>
        logger.warning("the archive could not be unmounted", errorFields(error)),
      );
    }
    this[Symbol.dispose]();
  }

  async tryWriting(expectedArchiveId: string | undefined): Promise<void> {
    await this.#run(
      { kind: "try_writing", ...this.#place, expected_archive_id: expectedArchiveId ?? null },
      {},
    );
  }

  /** Kills the worker; what it was doing is done again at the next start. */
  [Symbol.dispose](): void {
    clearTimeout(this.#idleTimer);
    this.#worker?.kill();
    this.#worker = undefined;
  }

  get #place() {
    const { destination, runFolder } = this.#options;
    return { destination, run_folder: runFolder ?? defaultRunFolder };
  }

  async #run(
    task: WorkerTask,
    options: Omit<TaskOptions, "stallMs">,
    stallMs = inForce(this.#options.stallMs),
  ): Promise<TaskAnswer> {
    const worker = this.#takeWorker();
    try {
      return await worker.run(task, { ...options, stallMs });
    } catch (error) {
      if (error instanceof AppError && error.code === "timeout") this.#abandon(worker);
      throw error;
    } finally {
      if (worker.alive && worker.idle) this.#endWhenIdle(worker);
    }
  }

  #takeWorker(): UploadWorker {
    clearTimeout(this.#idleTimer);
    if (this.#worker?.alive) return this.#worker;
    if (this.#stuck >= maxStuckWorkers) {
      throw new AppError(
        "unavailable",
        `${this.#stuck} upload workers hang in the archive and cannot be killed`,
      );
    }
    const { command, logger } = this.#options;
    const worker = new UploadWorker({
      command,
      onStderrLine: (line) => logger.warning("the upload worker said: {line}", { line }),
    });
    this.#worker = worker;
    return worker;
  }

  /** Once per worker, however many tasks it took down. */
  #abandon(worker: UploadWorker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#abandoned++;
    this.#stuck++;
    this.#options.logger.error("an upload worker that made no progress was given up", { pid: worker.pid });
    worker.exited.then(() => this.#stuck--);
  }

  #endWhenIdle(worker: UploadWorker): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (!worker.idle) return;
      worker.kill();
      if (this.#worker === worker) this.#worker = undefined;
    }, this.#options.idleMs ?? defaultIdleMs);
  }
}
