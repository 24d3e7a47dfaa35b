import { type Clock, sleep } from "../../common/clock.ts";
import { describeError } from "../../common/errors.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import type { Arrival, CameraConsumer } from "./camera-consumer.ts";
import type { CapturePlanner } from "./capture-planner.ts";
import { runCapture } from "./capture-run.ts";
import { FragmentMeter } from "./fragment-meter.ts";

export interface TestCaptureOptions {
  planner: CapturePlanner;
  clock: Clock;
  /** How much to take, counted from the first fragment. */
  durationMs: number;
  /** Grace for the first fragment. */
  startMs: number;
}

export interface TestCapture {
  /** Why it ended before it was asked to; undefined for a good one. */
  error: string | undefined;
  fragments: number;
  width: number | undefined;
  height: number | undefined;
  codec: string | undefined;
  fps: number | undefined;
  bitrateBps: number | undefined;
  /** Media time that came per time that went by, the first fragment left out; undefined for less than two. */
  pace: number | undefined;
}

const stopped = "the test is over";

/** Captures for a moment as a recording would, and keeps nothing. Never rejects with `unavailable`: that is an answer. */
export async function captureForTest(options: TestCaptureOptions): Promise<TestCapture> {
  const { planner, clock, durationMs, startMs } = options;
  const over = new AbortController();
  const consumer = new Measuring(durationMs, () => over.abort(stopped));
  let error: string | undefined;
  try {
    const plan = await planner.plan({
      settings: {},
      afterSilence: false,
      signal: AbortSignal.timeout(60_000),
    });
    const stallMs = Math.max(startMs, durationMs);
    const end = await runCapture({
      ...{ plan, consumer, clock, stallMs, startMs, signal: over.signal },
      onStall: () => undefined,
    });
    if (end.reason !== stopped) error = end.reason;
    // The device is free again before anybody else is told to use it; what the kernel holds is not waited for.
    await Promise.race([end.gone, sleep(5_000)]);
  } catch (cause) {
    error = describeError(cause);
  }
  return { error, ...consumer.result() };
}

class Measuring implements CameraConsumer {
  readonly #durationMs: number;
  readonly #done: () => void;
  #meter = new FragmentMeter();
  #init: InitSegment | undefined;
  #fragments = 0;
  #firstMs = 0;
  #lastMs = 0;
  /** Of all fragments but the first, whose time had begun before it was looked at. */
  #mediaMs = 0;

  constructor(durationMs: number, done: () => void) {
    this.#durationMs = durationMs;
    this.#done = done;
  }

  onRunStart(init: InitSegment): void {
    this.#init = init;
  }

  onFragment(fragment: Fragment, { monotonicMs }: Arrival): void {
    if (!this.#init) return;
    this.#meter.add(fragment, this.#init, monotonicMs);
    this.#fragments++;
    if (this.#fragments === 1) this.#firstMs = monotonicMs;
    else this.#mediaMs += fragment.videoDurationMs;
    this.#lastMs = monotonicMs;
    if (this.#fragments > 1 && monotonicMs - this.#firstMs >= this.#durationMs) this.#done();
  }

  onRunEnd(): void {}

  result(): Omit<TestCapture, "error"> {
    const elapsedMs = this.#lastMs - this.#firstMs;
    return {
      fragments: this.#fragments,
      width: this.#init?.video.width,
      height: this.#init?.video.height,
      codec: this.#init?.tracks.map(({ codec }) => codec).join(","),
      fps: this.#meter.fps,
      bitrateBps: this.#meter.bitrateBps,
      pace: elapsedMs > 0 ? this.#mediaMs / elapsedMs : undefined,
    };
  }
}
