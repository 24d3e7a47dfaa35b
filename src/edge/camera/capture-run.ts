import type { Clock } from "../../common/clock.ts";
import { AppError, describeError } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import { StreamSplitter } from "../../common/mp4/stream-splitter.ts";
import type { Arrival, CameraConsumer } from "./camera-consumer.ts";
import type { CapturePlan } from "./camera-source.ts";
import { sequenceParametersOf } from "./parameter-sets.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";
import { plainLine } from "./plain-line.ts";
import { ReadSchedule } from "./read-schedule.ts";
import { RealTimePace } from "./real-time-pace.ts";
import { Watchdog } from "./watchdog.ts";

/** Between two looks at the output of programs that have ended. */
const afterExitMs = 5;

/** Longer than a pipeline needs to kill its programs. */
const unkillableMs = 10_000;

export interface CaptureRunOptions {
  plan: CapturePlan;
  consumer: CameraConsumer;
  clock: Clock;
  stallMs: Live<number>;
  startMs: number;
  /** Ends the capture cleanly; its reason, a string, becomes the run's. */
  signal: AbortSignal;
  onStall: (reason: string) => void;
  onStderrLine?: (program: string, line: string) => void;
}

export interface CaptureRunEnd {
  reason: string;
  fragments: number;
  /** Every program has ended; it may take long for one that the kernel holds. */
  gone: Promise<unknown>;
}

/**
 * Runs one capture to its end, whatever that is. Rejects only with `unavailable`, when a program cannot be started:
 * the consumer has heard nothing then.
 */
export async function runCapture(options: CaptureRunOptions): Promise<CaptureRunEnd> {
  const pipeline = await startPipeline(options.plan, options.onStderrLine);
  return new CaptureRun(options, pipeline).run();
}

class CaptureRun {
  readonly #options: CaptureRunOptions;
  readonly #pipeline: Pipeline;
  readonly #splitter = new StreamSplitter();
  readonly #schedule = new ReadSchedule();
  /** Where fragments are there before their time. */
  #pace: RealTimePace | undefined;
  /** Ends the wait for the next look at the output, or for a fragment's time. */
  #wake: (() => void) | undefined;
  #hasExited = false;
  readonly #watchdog = new Watchdog(() => this.#stalled());
  readonly #giveUp = new Watchdog(() => this.#giveUpReading());
  #reason: string | undefined;
  #init: InitSegment | undefined;
  #sequenceParameters: Uint8Array | undefined;
  #fragments = 0;
  #longestFragmentMs = 0;
  #newestFragmentMs: number | undefined;
  #isConsuming = false;
  /** When the next keyframe is overdue, in monotonic ms. */
  #deadlineMs: number;

  constructor(options: CaptureRunOptions, pipeline: Pipeline) {
    this.#options = options;
    this.#pipeline = pipeline;
    this.#deadlineMs = options.clock.monotonicMs() + options.startMs;
  }

  async run(): Promise<CaptureRunEnd> {
    const { signal } = this.#options;
    const onAbort = () => this.#end(typeof signal.reason === "string" ? signal.reason : "stopped", "stop");
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    // A grandchild may hold stdout open: what has not come a second after the end is not waited for.
    void this.#pipeline.exited.then(() => {
      this.#hasExited = true;
      this.#wake?.();
      this.#giveUp.wait(1_000);
    });
    this.#watchdog.wait(this.#options.startMs);
    try {
      await this.#read();
    } catch (error) {
      const isStream = error instanceof AppError && error.code === "corrupt_file";
      this.#end(`${isStream ? "not a usable stream: " : ""}${plainLine(describeError(error))}`, "kill");
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#watchdog.rest();
    }
    if (this.#reason === undefined) this.#pipeline.stop();
    const reason = this.#reason ?? (await this.#exitReason());
    this.#giveUp.rest();
    this.#pipeline.output.close();
    if (this.#init) await this.#options.consumer.onRunEnd(reason);
    return { reason, fragments: this.#fragments, gone: this.#pipeline.exited };
  }

  async #read(): Promise<void> {
    const { output } = this.#pipeline;
    const { clock } = this.#options;
    for (;;) {
      const lookedMs = clock.monotonicMs();
      const sizeBytes = output.read(this.#splitter.room());
      if (sizeBytes === 0) return;
      this.#splitter.filled(sizeBytes ?? 0);
      this.#isConsuming = true;
      if (!(await this.#takeUnits({ wallMs: clock.wallMs(), monotonicMs: lookedMs }))) return;
      this.#isConsuming = false;
      // Nobody waits for a time at which more of it is written: it goes on where there is room.
      if (this.#options.plan.isReadInRealTime && sizeBytes !== undefined) continue;
      const delayMs = this.#schedule.next({
        sizeBytes: sizeBytes ?? 0,
        pendingBytes: this.#splitter.pendingBytes,
        fragmentMs: this.#newestFragmentMs,
      });
      await this.#untilNextLook(lookedMs + delayMs - clock.monotonicMs());
    }
  }

  /** False when nothing more is wanted of this capture. */
  async #takeUnits(arrival: Arrival): Promise<boolean> {
    for (let unit = this.#splitter.next(); unit; unit = this.#splitter.next()) {
      if (unit.kind === "init") await this.#begin(unit.init);
      else if (!(await this.#take(unit.fragment, arrival))) return false;
    }
    return true;
  }

  /** What has ended writes nothing more: it is read to the end, for which nobody waits long. */
  async #untilNextLook(delayMs: number): Promise<void> {
    await this.#wait(Math.max(1, this.#hasExited ? Math.min(delayMs, afterExitMs) : delayMs));
  }

  async #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  async #begin(init: InitSegment): Promise<void> {
    if (this.#init) await this.#options.consumer.onRunEnd("the stream began anew");
    this.#init = init;
    if (this.#options.plan.isReadInRealTime) this.#pace = new RealTimePace();
    this.#sequenceParameters = undefined;
    await this.#options.consumer.onRunStart(init);
  }

  /** False when nothing more is wanted of this capture. */
  async #take(fragment: Fragment, arrival: Arrival): Promise<boolean> {
    const init = this.#init;
    // The splitter gives no fragment before an init segment.
    if (!init) return false;
    if (this.#changesStream(fragment, init)) {
      this.#end("the picture's format changed", "kill");
      return false;
    }
    const taken = await this.#whenDue(fragment, init, arrival);
    if (!taken) return false;
    this.#fragments++;
    this.#newestFragmentMs = fragment.videoDurationMs;
    this.#longestFragmentMs = Math.max(this.#longestFragmentMs, fragment.videoDurationMs);
    await this.#consume(fragment, taken);
    return true;
  }

  /** A fragment that is there before its time arrives when that has come; undefined when it is not wanted any more. */
  async #whenDue(fragment: Fragment, init: InitSegment, arrival: Arrival): Promise<Arrival | undefined> {
    if (!this.#pace) return arrival;
    // So that one look finds what one wait is for; more would hide for long that its program stands still.
    if (this.#fragments === 0) this.#pipeline.output.grow(2 * fragment.sizeBytes);
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + this.#pace.waitMs(fragment, init, clock.monotonicMs());
    while (this.#reason === undefined) {
      const nowMs = clock.monotonicMs();
      if (dueMs - nowMs < 1) return { wallMs: clock.wallMs(), monotonicMs: nowMs };
      await this.#wait(dueMs - nowMs);
    }
    return undefined;
  }

  async #consume(fragment: Fragment, arrival: Arrival): Promise<void> {
    const { clock, consumer } = this.#options;
    this.#watchdog.rest();
    const startedMs = clock.monotonicMs();
    await consumer.onFragment(fragment, arrival);
    const nowMs = clock.monotonicMs();
    // The consumer's time is not the camera's: while it works, nothing can arrive.
    this.#deadlineMs += nowMs - startedMs;
    if (fragment.startsWithKeyframe) {
      this.#deadlineMs = nowMs + this.#patienceMs;
    }
    if (this.#reason === undefined) this.#watchdog.wait(Math.max(0, this.#deadlineMs - nowMs));
  }

  /** A camera may be set to a keyframe every half minute; its fragments come no sooner. */
  get #patienceMs(): number {
    return Math.max(inForce(this.#options.stallMs), 2 * Math.round(this.#longestFragmentMs) + 1_000);
  }

  #changesStream(fragment: Fragment, init: InitSegment): boolean {
    const parameters = sequenceParametersOf(fragment, init);
    if (!parameters) return false;
    const before = this.#sequenceParameters;
    this.#sequenceParameters = parameters;
    return before !== undefined && !Buffer.from(before).equals(parameters);
  }

  #stalled(): void {
    const { startMs } = this.#options;
    const reason =
      this.#fragments === 0
        ? `no fragment within ${startMs / 1000} s of the start: the source is silent, or sends no keyframes`
        : `no keyframe for ${this.#patienceMs / 1000} s`;
    this.#options.onStall(reason);
    this.#end(reason, "stop");
  }

  #end(reason: string, how: "stop" | "kill"): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#wake?.();
    this.#watchdog.rest();
    this.#giveUp.wait(unkillableMs);
    if (how === "stop") this.#pipeline.stop();
    else this.#pipeline.kill();
  }

  #giveUpReading(): void {
    if (this.#isConsuming) this.#giveUp.wait(1_000);
    else {
      this.#pipeline.output.close();
      this.#wake?.();
    }
  }

  async #exitReason(): Promise<string> {
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => resolve("the capture closed its output and does not end"), unkillableMs);
    const reason = await Promise.race([this.#pipeline.exited, late]);
    clearTimeout(timer);
    return reason;
  }
}
