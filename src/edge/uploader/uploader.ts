import type { Clock } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { ArchiveDestination, ConnectionCheck } from "./archive-destination.ts";
import { type CheckSchedule, untilArchiveIsBack } from "./archive-watch.ts";
import { UploadForecast } from "./upload-forecast.ts";
import { type UploadOrder, UploadPlan } from "./upload-plan.ts";
import type { UploadQueue, WaitingSegment } from "./upload-queue.ts";
import { type UploadCounts, UploadTally } from "./upload-tally.ts";
import type { UploadWindows } from "./upload-windows.ts";

export interface UploaderOptions {
  queue: UploadQueue;
  destination: ArchiveDestination;
  order: Live<UploadOrder>;
  /** When uploads may start; without it, always. One that runs when a window ends is finished. */
  windows?: Live<UploadWindows | undefined>;
  /** The archive that the hub knows; undefined until it has told. */
  expectedArchiveId: () => string | undefined;
  /** When to look whether an archive is back that uploads failed at; without it, the next try finds out. */
  checkSchedule?: CheckSchedule;
  clock: Clock;
  logger: Logger;
  backoff?: BackoffOptions;
  /** How long a running upload may go on after the end was asked for; default 5 s. */
  graceMs?: number;
}

export interface UploadItem extends WaitingSegment {
  state: "uploading" | "waiting" | "held_back";
  /** 0 to 1. */
  progress: number;
  /** Until it is archived; undefined while nobody can tell. */
  etaSeconds: number | undefined;
  /** What went wrong with it last. */
  lastError: string | undefined;
}

export interface UploaderStatus extends UploadCounts {
  state: "idle" | "uploading" | "retrying" | "outside_window";
  /** Undefined until something was uploaded. */
  bytesPerSecond: number | undefined;
  /** Until all that waits now is archived; undefined while nobody can tell, and when it takes more than a week. */
  etaSeconds: number | undefined;
  /** Of the uploads since the last one that succeeded. */
  lastError: string | undefined;
}

const defaultBackoff: BackoffOptions = { firstMs: 1000, maxMs: 300_000 };
const defaultGraceMs = 5000;
/** The clock that windows go by may be set meanwhile. */
const maxWindowWaitMs = 60_000;

/**
 * Brings closed segments to the archive, one at a time, until it is stopped. An archive that cannot be reached delays
 * everything; a segment that cannot be archived delays nothing but itself.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #backoff: Backoff;
  readonly #plan: UploadPlan;
  readonly #forecast: UploadForecast;
  readonly #tally: UploadTally;
  readonly #wakeup = new Wakeup();
  /** Ends the wait after a failure; new segments do not, they would try an archive that is away again and again. */
  readonly #retryNow = new Wakeup();
  #current: { videoId: string; progress: number; controller: AbortController } | undefined;
  #lastError: string | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
    this.#plan = new UploadPlan(options.order);
    this.#forecast = new UploadForecast(options);
    this.#tally = new UploadTally(options.clock);
    options.queue.onWaiting(() => this.#wakeup.wake());
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, clock } = this.#options;
    while (!signal.aborted) {
      const closedMs = this.#closedForMs();
      if (closedMs > 0) {
        await this.#wakeup.wait(signal, Math.min(closedMs, maxWindowWaitMs));
        continue;
      }
      const { next, inMs } = this.#plan.next(queue.waiting(), clock.monotonicMs());
      if (next) await this.#upload(next, signal);
      else await this.#wakeup.wait(signal, inMs);
    }
  }

  /** False outside the windows. */
  get mayUpload(): boolean {
    return this.#closedForMs() === 0;
  }

  /** 0 to 1 for the segment being uploaded, 0 for one that waits, undefined for one that is not in the queue. */
  uploadProgress(videoId: string): number | undefined {
    if (this.#current?.videoId === videoId) return this.#current.progress;
    return this.#isWaiting(videoId) ? 0 : undefined;
  }

  /** In the order they will be tried. */
  list(): UploadItem[] {
    const { queue, clock } = this.#options;
    const items = this.#plan.order(queue.waiting()).map((segment) => {
      const current = this.#current?.videoId === segment.videoId ? this.#current : undefined;
      const held = this.#plan.isHeldBack(segment.videoId, clock.monotonicMs());
      const state: UploadItem["state"] = current ? "uploading" : held ? "held_back" : "waiting";
      const lastError = this.#plan.lastErrorOf(segment.videoId);
      return { ...segment, state, progress: current?.progress ?? 0, lastError };
    });
    const etas = this.#etasOf(items);
    return items.map((item, i) => ({ ...item, etaSeconds: etas[i] }));
  }

  status(): UploaderStatus {
    const items = this.list();
    const waits = items.length > 0;
    return {
      ...this.#tally.counts(),
      state: waits ? this.#stateWith(items) : "idle",
      bytesPerSecond: this.#forecast.bytesPerSecond(),
      etaSeconds: waits ? items.at(-1)?.etaSeconds : 0,
      lastError: waits ? this.#lastError : undefined,
      failingSinceMs: waits ? this.#tally.counts().failingSinceMs : undefined,
    };
  }

  #stateWith(items: readonly UploadItem[]): UploaderStatus["state"] {
    if (this.#current) return "uploading";
    if (!this.mayUpload) return "outside_window";
    const isDue = items.some(({ state }) => state === "waiting");
    return isDue && this.#lastError === undefined ? "uploading" : "retrying";
  }

  /** Stops its upload if it runs, and puts it to the end of the queue. False when it does not wait. */
  cancel(videoId: string): boolean {
    if (!this.#isWaiting(videoId)) return false;
    this.#plan.holdBack(videoId, "cancelled", this.#options.clock.monotonicMs());
    if (this.#current?.videoId === videoId) this.#current.controller.abort();
    return true;
  }

  /** Takes a cancelled or failed one back into its place, and tries now. False when it does not wait. */
  retry(videoId: string): boolean {
    if (!this.#isWaiting(videoId)) return false;
    this.#plan.release(videoId);
    this.#wakeup.wake();
    this.#retryNow.wake();
    return true;
  }

  /** Goes by what is in force now at once: a new archive or new windows make old failures and waits meaningless. */
  tryNow(): void {
    this.#backoff.reset();
    this.#lastError = undefined;
    this.#wakeup.wake();
    this.#retryNow.wake();
  }

  checkConnection(): Promise<ConnectionCheck> {
    return this.#options.destination.check();
  }

  async #upload(segment: WaitingSegment, signal: AbortSignal): Promise<void> {
    const { queue, destination, expectedArchiveId, clock, logger, graceMs } = this.#options;
    const { videoId } = segment;
    const controller = new AbortController();
    const current = { videoId, progress: 0, controller };
    this.#current = current;
    this.#forecast.started();
    let graceTimer: ReturnType<typeof setTimeout> | undefined;
    const onStop = () => {
      graceTimer = setTimeout(() => controller.abort(), graceMs ?? defaultGraceMs);
    };
    signal.addEventListener("abort", onStop, { once: true });
    const startedMs = clock.monotonicMs();
    try {
      const loaded = await queue.load(videoId);
      const result = await destination.put(
        { ...loaded, expectedArchiveId: expectedArchiveId() },
        {
          signal: controller.signal,
          onProgress: (written, total) => {
            current.progress = total > 0 ? written / total : 0;
            this.#forecast.reached(current.progress * segment.sizeBytes);
          },
        },
      );
      await queue.markArchived(videoId, result);
      this.#forecast.succeeded(segment.sizeBytes);
      this.#tally.succeeded();
      this.#lastError = undefined;
      this.#plan.release(videoId);
      this.#backoff.reset();
      logger.info("archived", {
        video_id: videoId,
        file_path: result.filePath,
        file_size: result.fileSizeBytes,
        already_there: result.alreadyThere,
        took_ms: Math.round(clock.monotonicMs() - startedMs),
      });
    } catch (error) {
      await this.#fail(videoId, error, signal);
    } finally {
      clearTimeout(graceTimer);
      signal.removeEventListener("abort", onStop);
      this.#current = undefined;
    }
  }

  /** Decides whose fault it was, and waits where trying again at once cannot help. */
  async #fail(videoId: string, error: unknown, signal: AbortSignal): Promise<void> {
    const { queue, clock, logger } = this.#options;
    this.#forecast.failed();
    if (errorCodeOf(error) === "cancelled") {
      if (!signal.aborted) logger.info("an upload was cancelled", { video_id: videoId });
      return;
    }
    this.#current = undefined;
    this.#tally.failed(error);
    if (errorCodeOf(error) === "corrupt_file") {
      await queue.setAside(videoId, errorFields(error).error).catch((cause: unknown) => {
        this.#plan.holdBack(videoId, errorFields(cause).error, clock.monotonicMs());
        logger.error("a damaged segment could not be set aside", {
          video_id: videoId,
          ...errorFields(cause),
        });
      });
      return;
    }
    this.#lastError = errorFields(error).error;
    if (!isFaultOfArchive(error)) this.#plan.holdBack(videoId, errorFields(error).error, clock.monotonicMs());
    const delayMs = this.#backoff.next();
    logger.error("an upload failed", { video_id: videoId, ...errorFields(error), retry_in_ms: delayMs });
    await this.#waitForRetry(delayMs, isAway(error), signal);
  }

  /** Less than `delayMs` when somebody asks for it, or when an archive that was away is back. */
  async #waitForRetry(delayMs: number, away: boolean, signal: AbortSignal): Promise<void> {
    const { destination, expectedArchiveId, checkSchedule, clock, logger } = this.#options;
    const over = new AbortController();
    const watching = checkSchedule
      ? untilArchiveIsBack(
          { check: () => destination.check(), expectedArchiveId, schedule: checkSchedule, clock, away },
          AbortSignal.any([signal, over.signal]),
        )
      : Promise.resolve(false);
    const noticing = watching.then((isBack) => {
      if (!isBack) return;
      logger.info("the archive can be reached again");
      this.#retryNow.wake();
    });
    await this.#retryNow.wait(signal, delayMs);
    over.abort();
    // A check that hangs would take an upload beside it down when it is given up.
    await untilAborted(noticing, signal);
  }

  /** Of items in the order they will be tried. While uploads fail, and for what is held back, nobody can tell. */
  #etasOf(items: readonly Omit<UploadItem, "etaSeconds">[]): (number | undefined)[] {
    if (this.#lastError !== undefined) return items.map(() => undefined);
    const inTurn = items.filter(({ state }) => state !== "held_back");
    const etas = this.#forecast.secondsUntil(inTurn.map((item) => item.sizeBytes * (1 - item.progress)));
    const byId = new Map(inTurn.map(({ videoId }, i) => [videoId, etas[i]]));
    return items.map(({ videoId }) => byId.get(videoId));
  }

  /** 0 in a window. */
  #closedForMs(): number {
    const { clock } = this.#options;
    const windows = inForce(this.#options.windows);
    if (!windows) return 0;
    const nowMs = clock.wallMs();
    return (windows.nextOpenMs(nowMs) ?? Number.POSITIVE_INFINITY) - nowMs;
  }

  #isWaiting(videoId: string): boolean {
    return this.#options.queue.waiting().some((segment) => segment.videoId === videoId);
  }
}

/** When `work` is done or `signal` aborts. */
function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  work.then(stop);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

function isAway(error: unknown): boolean {
  return error instanceof AppError && (error.code === "unavailable" || error.code === "timeout");
}

/** Trying another segment would fail as well; the order is kept. */
function isFaultOfArchive(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return isAway(error) || error.details.side === "archive";
}
