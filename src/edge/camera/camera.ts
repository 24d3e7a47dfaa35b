import { type Clock, sleep } from "../../common/clock.ts";
import { AppError, describeError, errorCodeOf } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { Logger } from "../../common/log.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import type { CameraConsumer } from "./camera-consumer.ts";
import type { CaptureSettings } from "./camera-source.ts";
import type { CameraWatcher } from "./camera-watcher.ts";
import type { CapturePlanner } from "./capture-planner.ts";
import { type CaptureRunEnd, runCapture } from "./capture-run.ts";
import { type FallbackOptions, FallbackPicture } from "./fallback-picture.ts";
import { type CaptureStatus, RunObserver } from "./run-observer.ts";
import { pictureOf } from "./snapshot.ts";

/** A capture that ran so long was healthy: the next failure is waited for as briefly as the first. */
const healthyMs = 60_000;

/** Longer than a run takes to end, its programs killed and its end delivered. */
const stopMs = 20_000;

export interface CameraOptions {
  cameraId: string;
  planner: CapturePlanner;
  consumer: CameraConsumer;
  clock: Clock;
  logger: Logger;
  /** No fragment for so long means stalled. */
  stallMs: Live<number>;
  /** Grace for the first fragment of a run; default the larger of 30 s and twice `stallMs`. */
  startMs?: number;
  settings?: CaptureSettings;
  /** Pauses between a capture's end and the next start; default 1 s to 60 s. */
  backoff?: BackoffOptions;
  /** What is recorded while the camera gives nothing; without it, nothing is. */
  fallback?: FallbackOptions | undefined;
}

/** Supervises the capture of one camera: starts it, watches its fragments, starts it again. */
export class Camera {
  readonly #options: CameraOptions;
  readonly #observer: RunObserver;
  readonly #fallback: FallbackPicture | undefined;
  readonly #backoff: Backoff;
  #planner: CapturePlanner;
  #settings: CaptureSettings;
  /** Ends what is going on now: a capture, or the wait for the next. */
  #current = new AbortController();
  #isStopping = false;
  #startedAtMs = 0;
  #supervision: Promise<void> | undefined;
  #runEnded: Promise<unknown> = Promise.resolve();
  #snapshot: { of: Fragment; picture: Promise<Uint8Array<ArrayBuffer>> } | undefined;

  constructor(options: CameraOptions) {
    this.#options = options;
    this.#planner = options.planner;
    this.#settings = options.settings ?? {};
    this.#fallback = options.fallback && new FallbackPicture({ ...options, ...options.fallback });
    this.#observer = new RunObserver(this.#fallback ?? options.consumer, options.clock);
    this.#backoff = new Backoff(options.backoff ?? { firstMs: 1_000, maxMs: 60_000 });
  }

  /** Begins capturing; returns at once. Calling it again changes nothing. */
  start(): void {
    if (this.#supervision && !this.#isStopping) return;
    const before = this.#supervision;
    this.#isStopping = false;
    this.#supervision = (async () => {
      await before;
      await this.#supervise();
    })();
  }

  /** Ends the capture cleanly: the last fragment and `onRunEnd` have been delivered when it resolves. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#current.abort("stopped");
    // A program that even SIGKILL does not end is not waited for; the run's end was delivered long before.
    const deadline = new AbortController();
    await Promise.race([this.#supervision, sleep(stopMs, deadline.signal)]);
    deadline.abort();
    if (!this.#isStopping) return;
    this.#observer.stopped();
    this.#snapshot = undefined;
  }

  /**
   * Restarts the capture with other settings; what is not named stays. The consumer sees a new run. Throws
   * `invalid_input` for what the source cannot take.
   */
  async configure(settings: CaptureSettings): Promise<void> {
    const merged = { ...this.#settings, ...settings };
    this.#planner.check(merged);
    this.#settings = merged;
    this.#current.abort("settings changed");
    await this.#runEnded;
  }

  /**
   * Captures another source, or the same by other means, from now on; `settings` take the place of the ones asked for
   * so far. The consumer sees a new run. Resolves when the old one has ended, or cannot be ended. Never rejects.
   */
  async replan(planner: CapturePlanner, settings: CaptureSettings = {}): Promise<void> {
    this.#planner = planner;
    this.#settings = settings;
    this.#backoff.reset();
    this.#current.abort("settings changed");
    const deadline = new AbortController();
    await Promise.race([this.#runEnded, sleep(stopMs, deadline.signal)]);
    deadline.abort();
  }

  /** Shows what the camera gives from now on, until the returned function is called. */
  watch(watcher: CameraWatcher): () => void {
    return this.#observer.watch(watcher);
  }

  /** JPEG of the newest keyframe. Throws `unavailable` when there is none yet. */
  async snapshot(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const newest = this.#observer.newest;
    if (!newest) throw new AppError("unavailable", "the camera has not given a picture yet");
    // Whoever asks while one is made gets the same; a picture costs a tenth of a second of a core.
    if (this.#snapshot?.of !== newest.fragment) {
      const picture = pictureOf(newest.init, newest.fragment);
      this.#snapshot = { of: newest.fragment, picture };
      picture.catch(() => {
        this.#snapshot = undefined;
      });
    }
    const { picture } = this.#snapshot as { picture: Promise<Uint8Array<ArrayBuffer>> };
    return signal ? cancellable(picture, signal) : picture;
  }

  /** Whether fragments keep arriving at about the expected rate. */
  isHealthy(): boolean {
    return this.#observer.isHealthy();
  }

  /** `fallbackSinceMs`: the camera gives nothing since then, and a picture that says so is recorded. */
  status(): CaptureStatus & { fallbackSinceMs: number | undefined } {
    return { ...this.#observer.status(), fallbackSinceMs: this.#fallback?.sinceMs };
  }

  async #supervise(): Promise<void> {
    const { logger, cameraId, clock } = this.#options;
    this.#startedAtMs = clock.wallMs();
    let afterSilence = false;
    while (!this.#isStopping) {
      this.#current = new AbortController();
      const run = this.#runOnce(afterSilence, this.#current.signal);
      this.#runEnded = run;
      const end = await run;
      if (this.#current.signal.aborted) continue;
      afterSilence = end.isSilent;
      if (end.lastedMs >= healthyMs) this.#backoff.reset();
      const waitMs = this.#backoff.next();
      this.#observer.failed(end.reason);
      this.#fallback?.failed(this.#observer.status().lastFragmentAtMs ?? this.#startedAtMs);
      logger.warning("capture ended; it is started again", {
        camera_id: cameraId,
        reason: end.reason,
        wait_ms: waitMs,
      });
      await sleep(waitMs, this.#current.signal);
    }
    await this.#fallback?.stop();
  }

  /** Never rejects. */
  async #runOnce(
    afterSilence: boolean,
    signal: AbortSignal,
  ): Promise<{ reason: string; isSilent: boolean; lastedMs: number }> {
    const { logger, cameraId, clock } = this.#options;
    this.#observer.starting();
    const startedMs = clock.monotonicMs();
    let end: Pick<CaptureRunEnd, "reason" | "fragments"> = { reason: "", fragments: 0 };
    let wasPlanned = false;
    try {
      const plan = await this.#planner.plan({ settings: this.#settings, afterSilence, signal });
      wasPlanned = true;
      if (signal.aborted) return { reason: "stopped", isSilent: false, lastedMs: 0 };
      const run = await runCapture({
        plan,
        consumer: this.#observer,
        clock,
        stallMs: this.#options.stallMs,
        startMs: this.#options.startMs ?? Math.max(30_000, 2 * inForce(this.#options.stallMs)),
        signal,
        onStall: (reason) => this.#observer.stalled(reason),
        ...(logger.isEnabledFor("debug")
          ? {
              onStderrLine: (program, line) =>
                logger.debug("capture says", { camera_id: cameraId, program, line }),
            }
          : {}),
      });
      end = run;
      await this.#gone(run);
    } catch (error) {
      end = { reason: describeError(error), fragments: 0 };
      if (errorCodeOf(error) === "internal")
        logger.error("capture failed", { camera_id: cameraId, error: end.reason });
    }
    return {
      reason: end.reason,
      isSilent: wasPlanned && end.fragments === 0,
      lastedMs: end.fragments > 0 ? clock.monotonicMs() - startedMs : 0,
    };
  }

  /** A next capture would find the device taken while the last one's programs live, and pile up beside them. */
  async #gone(run: CaptureRunEnd): Promise<void> {
    const { cameraId, logger } = this.#options;
    const timer = setTimeout(() => {
      this.#observer.stalled("the capture process cannot be killed; waiting for the kernel to let it go");
      logger.error("a capture process cannot be killed", { camera_id: cameraId });
    }, 15_000);
    await run.gone;
    clearTimeout(timer);
  }
}

async function cancellable<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  const error = new AppError("cancelled", "the snapshot was cancelled");
  if (signal.aborted) throw error;
  const { promise: cancelled, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(error);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([result, cancelled]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
