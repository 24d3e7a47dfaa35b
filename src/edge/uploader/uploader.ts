import type { Clock } from "../../common/clock.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { ArchiveDestination, ConnectionCheck, PutResult } from "./archive-destination.ts";
import type { CheckSchedule } from "./archive-watch.ts";
import { type Retry, waitForRetry } from "./retry-wait.ts";
import { UploadAttempt } from "./upload-attempt.ts";
import { faultOf } from "./upload-fault.ts";
import { UploadForecast } from "./upload-forecast.ts";
import { listUploads, type UploadItem } from "./upload-list.ts";
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

export interface UploaderStatus extends UploadCounts {
  state: "idle" | "uploading" | "retrying" | "outside_window";
  /** Undefined until something was uploaded. */
  bytesPerSecond: number | undefined;
  /** Until all that waits now is archived; undefined while nobody can tell, and when it takes more than a week. */
  etaSeconds: number | undefined;
  /** Of the uploads since the last one that succeeded. */
  lastError: string | undefined;
}

const defaultBackoff: BackoffOptions = { firstMs: 1000, maxMs: 60_000 };
/** After a segment that failed for itself, which is put aside: the others need not wait, only not fail without a pause. */
const maxOwnPauseMs = 10_000;
const defaultGraceMs = 5000;
/** The clock that windows go by may be set meanwhile. */
const maxWindowWaitMs = 60_000;

/** Sent segments that the destination still makes durable while the next one goes out. */
const maxFinishing = 3;

/**
 * Brings closed segments to the archive until it is stopped: one is sent at a time, and while those before it are made
 * durable and named, the next goes out. An archive that cannot be reached delays everything; a segment that cannot be
 * archived delays nothing but itself.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #backoff: Backoff;
  readonly #plan: UploadPlan;
  readonly #forecast: UploadForecast;
  readonly #tally: UploadTally;
  readonly #attempts = new Map<string, UploadAttempt>();
  readonly #wakeup = new Wakeup();
  /** Ends the wait after a failure; new segments do not, they would try an archive that is away again and again. */
  readonly #retryNow = new Wakeup();
  /** Something failed, and nothing is begun before this. */
  #retry: Retry | undefined;
  #isEnding = false;
  #lastError: string | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
    this.#plan = new UploadPlan(options.order, () => options.queue.preferred());
    this.#forecast = new UploadForecast(options);
    this.#tally = new UploadTally(options.clock);
    options.queue.onWaiting(() => this.#wakeup.wake());
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const closedMs = this.#closedForMs();
      const retry = this.#retry;
      // What is under way may fail as well, which is one failure with the first, or succeed, and then there is none.
      if (retry && this.#attempts.size > 0) await this.#wakeup.wait(signal);
      else if (retry) await this.#wait(retry, signal);
      else if (closedMs > 0) await this.#wakeup.wait(signal, Math.min(closedMs, maxWindowWaitMs));
      else await this.#startOrWait(signal);
    }
    await this.#endAttempts();
  }

  /** False outside the windows. */
  get mayUpload(): boolean {
    return this.#closedForMs() === 0;
  }

  isUploading(videoId: string): boolean {
    return this.#attempts.has(videoId);
  }

  /** 0 to 1 for a segment being uploaded, 0 for one that waits, undefined for one that is not in the queue. */
  uploadProgress(videoId: string): number | undefined {
    const attempt = this.#attempts.get(videoId);
    return attempt?.progress ?? (this.#options.queue.isWaiting(videoId) ? 0 : undefined);
  }

  /** In the order they will be tried. */
  list(): UploadItem[] {
    const { queue, clock } = this.#options;
    return listUploads({
      waiting: queue.waiting(),
      plan: this.#plan,
      attempts: this.#attempts,
      forecast: this.#forecast,
      failing: this.#lastError !== undefined,
      nowMs: clock.monotonicMs(),
    });
  }

  status(): UploaderStatus {
    const waiting = this.#options.queue.waiting();
    const waits = waiting.length > 0;
    return {
      ...this.#tally.counts(),
      state: waits ? this.#stateWith(waiting) : "idle",
      bytesPerSecond: this.#forecast.bytesPerSecond(),
      etaSeconds: waits ? this.#etaOf(waiting) : 0,
      lastError: waits ? this.#lastError : undefined,
      failingSinceMs: waits ? this.#tally.counts().failingSinceMs : undefined,
    };
  }

  /** Stops its upload if it runs, and puts it to the end of the queue. False when it does not wait. */
  cancel(videoId: string): boolean {
    if (!this.#options.queue.isWaiting(videoId)) return false;
    this.#plan.holdBack(videoId, "cancelled", this.#options.clock.monotonicMs());
    this.#attempts.get(videoId)?.cancel();
    return true;
  }

  /** Takes a cancelled or failed one back into its place, and tries now. False when it does not wait. */
  retry(videoId: string): boolean {
    if (!this.#options.queue.isWaiting(videoId)) return false;
    this.#plan.release(videoId);
    this.#wakeup.wake();
    this.#retryNow.wake();
    return true;
  }

  /** Somebody waits for it: it is next, or as soon as it is closed. False when it is not to be uploaded. Throws `io`. */
  async prioritise(videoId: string): Promise<boolean> {
    if (!(await this.#options.queue.prefer(videoId))) return false;
    this.#plan.release(videoId);
    this.#wakeup.wake();
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

  async #startOrWait(signal: AbortSignal): Promise<void> {
    const { queue, clock } = this.#options;
    const finishing = [...this.#attempts.values()].filter(({ isSent }) => isSent).length;
    if (finishing < this.#attempts.size || finishing >= maxFinishing) return this.#wakeup.wait(signal);
    const isUnderWay = (videoId: string) => this.#attempts.has(videoId);
    const { next, inMs } = this.#plan.next(queue.waiting(), clock.monotonicMs(), isUnderWay);
    if (!next) return this.#wakeup.wait(signal, inMs);
    void this.#upload(next);
  }

  async #wait(retry: Retry, signal: AbortSignal): Promise<void> {
    await waitForRetry(this.#options, retry, this.#retryNow, signal);
    this.#retry = undefined;
  }

  /** Gives what runs its time, and then stops it. */
  async #endAttempts(): Promise<void> {
    this.#isEnding = true;
    const cancelAll = () => {
      for (const attempt of this.#attempts.values()) attempt.cancel();
    };
    const timer = setTimeout(cancelAll, this.#options.graceMs ?? defaultGraceMs);
    const never = new AbortController().signal;
    while (this.#attempts.size > 0) await this.#wakeup.wait(never);
    clearTimeout(timer);
  }

  /** Never rejects. */
  async #upload(segment: WaitingSegment): Promise<void> {
    const { videoId } = segment;
    const attempt = new UploadAttempt(segment, this.#options.clock.monotonicMs());
    this.#attempts.set(videoId, attempt);
    this.#forecast.started(videoId);
    this.#options.logger.debug("uploading", { video_id: videoId, size_bytes: segment.sizeBytes });
    try {
      const result = await attempt.run(this.#options, () => {
        this.#forecast.reached(videoId, attempt.sentBytes);
        if (attempt.isSent) this.#wakeup.wake();
      });
      this.#succeed(attempt, result);
    } catch (error) {
      await this.#fail(videoId, error);
    }
    this.#attempts.delete(videoId);
    this.#wakeup.wake();
  }

  #succeed({ segment, startedMs }: UploadAttempt, result: PutResult): void {
    const { clock, logger } = this.#options;
    this.#forecast.succeeded(segment.videoId, segment.sizeBytes);
    this.#tally.succeeded();
    this.#lastError = undefined;
    this.#retry = undefined;
    this.#plan.release(segment.videoId);
    this.#backoff.reset();
    logger.info("archived", {
      video_id: segment.videoId,
      file_path: result.filePath,
      file_size: result.fileSizeBytes,
      already_there: result.alreadyThere,
      took_ms: Math.round(clock.monotonicMs() - startedMs),
    });
  }

  /** Decides whose fault it was, and whether trying again at once cannot help. Never rejects. */
  async #fail(videoId: string, error: unknown): Promise<void> {
    const { clock, logger } = this.#options;
    const fault = faultOf(error);
    this.#forecast.failed(videoId);
    if (fault === "cancelled") {
      if (!this.#isEnding) logger.info("an upload was cancelled", { video_id: videoId });
      return;
    }
    this.#tally.failed(error);
    if (fault === "damaged") return this.#setAside(videoId, error);
    this.#lastError = errorFields(error).error;
    if (fault === "segment") this.#plan.holdBack(videoId, errorFields(error).error, clock.monotonicMs());
    const atMostMs = fault === "segment" ? maxOwnPauseMs : Number.POSITIVE_INFINITY;
    this.#retry ??= { delayMs: Math.min(this.#backoff.next(), atMostMs), away: fault === "away" };
    logger.error("an upload failed", {
      video_id: videoId,
      ...errorFields(error),
      retry_in_ms: this.#retry.delayMs,
    });
  }

  async #setAside(videoId: string, error: unknown): Promise<void> {
    const { queue, clock, logger } = this.#options;
    await queue.setAside(videoId, errorFields(error).error).catch((cause: unknown) => {
      this.#plan.holdBack(videoId, errorFields(cause).error, clock.monotonicMs());
      logger.error("a damaged segment could not be set aside", { video_id: videoId, ...errorFields(cause) });
    });
  }

  #stateWith(waiting: readonly WaitingSegment[]): UploaderStatus["state"] {
    if (this.#attempts.size > 0) return "uploading";
    if (!this.mayUpload) return "outside_window";
    const nowMs = this.#options.clock.monotonicMs();
    const isDue = waiting.some(({ videoId }) => !this.#plan.isHeldBack(videoId, nowMs));
    return isDue && this.#lastError === undefined ? "uploading" : "retrying";
  }

  /** Until all of them are archived; of what is held back, and while uploads fail, nobody can tell. */
  #etaOf(waiting: readonly WaitingSegment[]): number | undefined {
    const isAnyHeld = this.#plan.isAnyHeldBack(this.#options.clock.monotonicMs());
    if (isAnyHeld || this.#lastError !== undefined) return undefined;
    let bytes = 0;
    for (const { sizeBytes } of waiting) bytes += sizeBytes;
    for (const attempt of this.#attempts.values()) bytes -= attempt.sentBytes;
    return this.#forecast.secondsUntil([bytes])[0];
  }

  /** 0 in a window. */
  #closedForMs(): number {
    const { clock } = this.#options;
    const windows = inForce(this.#options.windows);
    if (!windows) return 0;
    const nowMs = clock.wallMs();
    return (windows.nextOpenMs(nowMs) ?? Number.POSITIVE_INFINITY) - nowMs;
  }
}
