import { type Clock, earliestWallMs } from "../../common/clock.ts";
import { describeError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import type { ClockState } from "../../common/segment-identity.ts";
import { type Arrival, RecordingRun } from "./recording-run.ts";
import type { SegmentSink } from "./segment-sink.ts";
import { type SegmentOrigin, SegmentWriter } from "./segment-writer.ts";
import { endsBefore } from "./segmenter.ts";

/** Whether the machine's wall clock can be believed now. */
export type ClockSync = () => "synced" | "unsynced";

export interface RecorderOptions extends SegmentOrigin {
  sink: SegmentSink;
  clock: Clock;
  clockSync: ClockSync;
  logger: Logger;
}

export type RecorderState = "recording" | "paused" | "stopped" | "failing";

export interface RecorderStatus {
  state: RecorderState;
  /** Why the sink refused the last segment, while `failing`. */
  message: string | undefined;
  runId: string | undefined;
  /** Of the segment being written. */
  sequence: number | undefined;
  segmentStartMs: number | undefined;
  segmentBytes: number;
  closedSegments: number;
  /** Fragments that reached the recorder while it was to record and that are in no segment. */
  lostFragments: number;
}

/** A run's clock that is further from the wall clock follows one that has been set since. */
const clockSetMs = 1000;

/** No camera has so long a GOP; a fragment that says so spans a jump of the source's times. */
const longestFragmentMs = 120_000;

/** Cuts one camera's fragments into segments at the wall clock. Consumes a camera; none of its calls rejects. */
export class Recorder {
  readonly #options: RecorderOptions;
  #wanted: "recording" | "paused" | "stopped" = "stopped";
  #init: InitSegment | undefined;
  /** What comes now is no footage. */
  #isMock = false;
  #run: RecordingRun | undefined;
  #segment: SegmentWriter | undefined;
  /** Where the run's last segment ended and its next begins, while none is open. */
  #nextStartMs: number | undefined;
  /** Each fragment of the capture so far began with a keyframe, so the next one will, too. */
  #isGopPerFragment = true;
  #failure: string | undefined;
  #closedSegments = 0;
  #lostFragments = 0;
  /** Calls of camera and control take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Records from the next fragment on that a segment can start with. */
  start(): void {
    this.#wanted = "recording";
  }

  /** Closes the segment being written; resolves with its path, or undefined when there was none. */
  stop(): Promise<string | undefined> {
    this.#wanted = "stopped";
    return this.#inTurn(() => this.#endRun("stopped"));
  }

  /** Closes the segment being written and records nothing until `resume`. Does nothing unless recording. */
  async pause(): Promise<void> {
    if (this.#wanted !== "recording") return;
    this.#wanted = "paused";
    await this.#inTurn(() => this.#endRun("paused"));
  }

  /** Goes on after a pause, with a new run id. */
  resume(): void {
    if (this.#wanted === "paused") this.#wanted = "recording";
  }

  status(): RecorderStatus {
    const isFailing = this.#wanted === "recording" && this.#failure !== undefined;
    return {
      state: isFailing ? "failing" : this.#wanted,
      message: isFailing ? this.#failure : undefined,
      runId: this.#run?.id,
      sequence: this.#segment?.sequence,
      segmentStartMs: this.#segment?.startTimeMs,
      segmentBytes: this.#segment?.sizeBytes ?? 0,
      closedSegments: this.#closedSegments,
      lostFragments: this.#lostFragments,
    };
  }

  async onRunStart(init: InitSegment, { isMock } = { isMock: false }): Promise<void> {
    await this.#inTurn(async () => {
      await this.#endRun("another run began");
      this.#init = init;
      this.#isMock = isMock;
      this.#isGopPerFragment = true;
    });
  }

  async onFragment(fragment: Fragment, arrival: Arrival): Promise<void> {
    if (this.#wanted !== "recording") return;
    await this.#inTurn(async () => {
      if (!this.#init) return;
      if (!(await this.#record(this.#init, fragment, arrival))) this.#lostFragments++;
    });
  }

  async onRunEnd(reason: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#endRun(reason);
      this.#init = undefined;
    });
  }

  /** False when the fragment went into no segment. */
  async #record(init: InitSegment, fragment: Fragment, arrival: Arrival): Promise<boolean> {
    if (fragment.videoDurationMs > longestFragmentMs) {
      await this.#endRun("the times of the source jumped");
      return false;
    }
    if (fragment.hasVideo && !fragment.startsWithKeyframe) this.#isGopPerFragment = false;
    if (this.#run && !this.#run.follows(fragment, arrival))
      await this.#endRun("the times of the source jumped");
    if (!this.#run) {
      // Sound alone, as a stream may end with, is not missed.
      if (!fragment.startsWithKeyframe) return !fragment.hasVideo;
      this.#run = RecordingRun.begin(init, fragment, arrival);
    }
    // Sound that comes after the last picture of a closed segment is not missed either.
    if (!this.#segment && !fragment.hasVideo) return true;
    await this.#cut(this.#run, fragment);
    this.#segment ??= await this.#open(this.#run, fragment);
    if (!this.#segment || !(await this.#append(this.#segment, fragment))) return false;
    await this.#closeAfter(this.#run, fragment);
    return true;
  }

  /** Ends the segment where this fragment begins, if that is where it is to end. */
  async #cut(run: RecordingRun, fragment: Fragment): Promise<void> {
    if (!fragment.hasVideo) return;
    const startsAtMs = run.startOf(fragment);
    const { startsWithKeyframe } = fragment;
    // Where the last segment was closed already, this is where the next begins.
    const boundaryMs = this.#segment?.boundaryMs ?? Number.NEGATIVE_INFINITY;
    if (!endsBefore(boundaryMs, { startsAtMs, startsWithKeyframe })) return;
    const { stepOffsetMs } = run.clock;
    if (stepOffsetMs === 0) {
      await this.#close("boundary", startsAtMs);
      return;
    }
    const by = `${stepOffsetMs > 0 ? "+" : ""}${(stepOffsetMs / 1000).toFixed(1)} s`;
    this.#options.logger.warning("the clock was set; segments follow it from here on", {
      camera_id: this.#options.cameraId,
      by,
    });
    await this.#close(`the clock was set by ${by}`, startsAtMs);
    this.#run = run.realigned(fragment);
    this.#nextStartMs = undefined;
  }

  /**
   * Ends the segment with this fragment when the next one will begin at or after the boundary: the same cut as when
   * that one is here, but footage reaches the archive a fragment earlier. Only where that one will begin with a
   * keyframe, and by a clock that was not set meanwhile.
   */
  async #closeAfter(run: RecordingRun, fragment: Fragment): Promise<void> {
    if (!this.#segment || !fragment.hasVideo || !this.#isGopPerFragment) return;
    const endsAtMs = run.endOf(fragment);
    if (run.clock.stepOffsetMs !== 0 || endsAtMs < this.#segment.boundaryMs) return;
    await this.#close("boundary", endsAtMs);
    this.#nextStartMs = endsAtMs;
  }

  async #open(run: RecordingRun, first: Fragment): Promise<SegmentWriter | undefined> {
    // Only a keyframe can be decoded without what came before it.
    if (!first.startsWithKeyframe) {
      await this.#endRun("a fragment without a keyframe");
      return undefined;
    }
    const { sink } = this.#options;
    const startTimeMs = this.#nextStartMs ?? run.startOf(first);
    this.#nextStartMs = undefined;
    try {
      const about = { clockState: this.#clockState(run), isMock: this.#isMock };
      return await SegmentWriter.open(sink, this.#options, { run, startTimeMs, ...about });
    } catch (error) {
      this.#fail("a segment cannot be begun", error);
      this.#run = undefined;
      return undefined;
    }
  }

  async #append(segment: SegmentWriter, fragment: Fragment): Promise<boolean> {
    try {
      await segment.append(fragment);
    } catch (error) {
      this.#fail("a segment cannot be written", error);
      await this.#endRun(`write failed: ${describeError(error)}`);
      return false;
    }
    if (this.#failure !== undefined) {
      const { logger, cameraId } = this.#options;
      logger.info("segments can be written again", {
        camera_id: cameraId,
        lost_fragments: this.#lostFragments,
      });
      this.#failure = undefined;
    }
    return true;
  }

  async #endRun(reason: string): Promise<string | undefined> {
    const path = await this.#close(reason);
    this.#run = undefined;
    this.#nextStartMs = undefined;
    return path;
  }

  async #close(reason: string, nextStartMs?: number): Promise<string | undefined> {
    const segment = this.#segment;
    this.#segment = undefined;
    if (!segment) return undefined;
    try {
      const path = await segment.close(reason, nextStartMs);
      this.#closedSegments++;
      return path;
    } catch (error) {
      this.#fail("a segment cannot be closed", error);
      return undefined;
    }
  }

  /** Logged when it begins, not again with every fragment. */
  #fail(what: string, error: unknown): void {
    const message = `${what}: ${describeError(error)}`;
    if (this.#failure === undefined) {
      this.#options.logger.error(what, { camera_id: this.#options.cameraId, error: describeError(error) });
    }
    this.#failure = message;
  }

  /** Of a segment that is dated by the run's clock. */
  #clockState(run: RecordingRun): ClockState {
    const { clock, clockSync } = this.#options;
    const wallMs = clock.wallMs();
    // Set between the arrival of the fragment and now: that it is set now says nothing about the date.
    const wasSet = Math.abs(wallMs - clock.monotonicMs() - run.clock.wallOffsetMs) > clockSetMs;
    return wallMs < earliestWallMs || wasSet ? "unsynced" : clockSync();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
