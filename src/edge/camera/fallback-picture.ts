import { type Clock, sleep } from "../../common/clock.ts";
import { describeError } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { Logger } from "../../common/log.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import type { Arrival, CameraConsumer } from "./camera-consumer.ts";
import type { CapturePlan } from "./camera-source.ts";
import { runCapture } from "./capture-run.ts";

/** A picture that cannot be made is tried again so rarely: what it needs is not installed. */
const againMs = 60_000;
/** For its first fragment, and for each one after; it has nothing to wait for but the machine. */
const patienceMs = 30_000;

export interface FallbackOptions {
  /** Failures in a row, without a picture between them, after which it is recorded. 0: never. */
  afterFailures: Live<number>;
  /** `sinceMs`: when the camera's last picture came, ms since 1970 UTC. */
  plan: (sinceMs: number) => CapturePlan;
}

export interface FallbackPictureOptions extends FallbackOptions {
  cameraId: string;
  consumer: CameraConsumer;
  clock: Clock;
  logger: Logger;
}

interface Showing {
  sinceMs: number;
  end: AbortController;
  /** The camera is back: whatever else comes of this is not wanted. */
  isOver: boolean;
  done: Promise<void>;
}

/**
 * Stands between a camera and its consumer. While the camera gives nothing, a picture that says so is recorded in its
 * place, marked as mock; the camera's first keyframe takes over at once.
 */
export class FallbackPicture implements CameraConsumer {
  readonly #options: FallbackPictureOptions;
  #failures = 0;
  #showing: Showing | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  /** Of the camera's run until its first keyframe. */
  #untold: InitSegment | undefined;
  #isMockRun = false;
  /** Given on with the next one: so what is recorded ends before the camera's first picture begins. */
  #held: { fragment: Fragment; arrival: Arrival } | undefined;
  /** Both sides take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: FallbackPictureOptions) {
    this.#options = options;
  }

  /** Since when the camera gives nothing; undefined while it is not replaced. */
  get sinceMs(): number | undefined {
    return this.#showing?.sinceMs;
  }

  /** A capture of the camera ended by itself, or could not be started. */
  failed(sinceMs: number): void {
    this.#failures++;
    const afterFailures = inForce(this.#options.afterFailures);
    if (afterFailures === 0) {
      void this.stop();
      return;
    }
    if (this.#showing || this.#failures < afterFailures) return;
    this.#options.logger.warning("the camera gives nothing; a picture that says so is recorded", {
      camera_id: this.#options.cameraId,
      failures: this.#failures,
    });
    const end = new AbortController();
    const showing: Showing = { sinceMs, end, isOver: false, done: Promise.resolve() };
    this.#showing = showing;
    showing.done = this.#show(showing);
  }

  /** Ends the picture cleanly: its last fragment has been given on when it resolves. Never rejects. */
  async stop(): Promise<void> {
    this.#failures = 0;
    const showing = this.#showing;
    showing?.end.abort("stopped");
    await showing?.done;
    await this.#ending;
    if (this.#showing === showing) this.#showing = undefined;
  }

  onRunStart(init: InitSegment): Promise<void> {
    return this.#inTurn(() => {
      this.#untold = init;
    });
  }

  onFragment(fragment: Fragment, arrival: Arrival): Promise<void> {
    return this.#inTurn(async () => {
      const { consumer } = this.#options;
      if (this.#untold) {
        // Nothing before a keyframe can be played.
        if (!fragment.startsWithKeyframe) return;
        await this.#takeBack();
        await consumer.onRunStart(this.#untold);
        this.#untold = undefined;
      }
      if (fragment.startsWithKeyframe) this.#failures = 0;
      await consumer.onFragment(fragment, arrival);
    });
  }

  onRunEnd(reason: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#untold) await this.#options.consumer.onRunEnd(reason);
      this.#untold = undefined;
    });
  }

  async #takeBack(): Promise<void> {
    const showing = this.#showing;
    if (!showing) return;
    const { logger, cameraId, consumer } = this.#options;
    showing.isOver = true;
    // Not waited for: the camera's fragment is.
    this.#ending = showing.done;
    showing.end.abort("the camera is back");
    this.#showing = undefined;
    this.#held = undefined;
    if (this.#isMockRun) await consumer.onRunEnd("the camera is back");
    this.#isMockRun = false;
    logger.info("the camera is back", { camera_id: cameraId });
  }

  async #show(showing: Showing): Promise<void> {
    const { clock, logger, cameraId, plan } = this.#options;
    const { signal } = showing.end;
    while (!signal.aborted) {
      let reason: string;
      try {
        const run = await runCapture({
          plan: plan(showing.sinceMs),
          consumer: this.#consumerOf(showing),
          ...{ clock, signal, stallMs: patienceMs, startMs: patienceMs },
          onStall: () => undefined,
        });
        reason = run.reason;
        await run.gone;
      } catch (error) {
        reason = describeError(error);
      }
      if (signal.aborted) return;
      logger.error("the picture in place of the camera ended", { camera_id: cameraId, reason });
      await sleep(againMs, signal);
    }
  }

  #consumerOf(showing: Showing): CameraConsumer {
    const { consumer } = this.#options;
    const unlessOver = (work: () => void | Promise<void>) =>
      this.#inTurn(async () => {
        if (!showing.isOver) await work();
      });
    const giveHeld = async () => {
      const held = this.#held;
      this.#held = undefined;
      if (held) await consumer.onFragment(held.fragment, held.arrival);
    };
    return {
      onRunStart: (init) =>
        unlessOver(async () => {
          await consumer.onRunStart(init, { isMock: true });
          this.#isMockRun = true;
        }),
      onFragment: (fragment, arrival) =>
        unlessOver(async () => {
          await giveHeld();
          this.#held = { fragment, arrival };
        }),
      onRunEnd: (reason) =>
        unlessOver(async () => {
          await giveHeld();
          await consumer.onRunEnd(reason);
          this.#isMockRun = false;
        }),
    };
  }

  #inTurn(work: () => void | Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
