import { newUuidV7 } from "../../common/ids.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import { DecodeOrder } from "./decode-order.ts";
import { RunClock } from "./run-clock.ts";

/** When the last byte of a fragment had come. */
export interface Arrival {
  wallMs: number;
  monotonicMs: number;
}

/**
 * Segments without a hole between them, on one clock. A hole of any kind (pause, a disk that refused, times that
 * jumped, a step of the clock) begins another run, so within one each segment ends where the next starts.
 */
export class RecordingRun {
  readonly id: string;
  readonly init: InitSegment;
  readonly clock: RunClock;
  readonly #order = new DecodeOrder();
  #nextSequence = 0;

  private constructor(init: InitSegment, clock: RunClock, firstMediaMs: number) {
    this.id = newUuidV7(Math.max(0, clock.wallAt(firstMediaMs)));
    this.init = init;
    this.clock = clock;
  }

  /** The run that begins with this fragment. */
  static begin(init: InitSegment, fragment: Fragment, arrival: Arrival): RecordingRun {
    const run = new RecordingRun(
      init,
      new RunClock({ mediaEndMs: mediaEndMs(init, fragment), ...arrival }),
      mediaStartMs(init, fragment),
    );
    run.#order.accepts(fragment);
    return run;
  }

  /** The run that goes on in this one's place from `fragment` on, by the wall clock as it is now. */
  realigned(fragment: Fragment): RecordingRun {
    const run = new RecordingRun(this.init, this.clock.realigned(), mediaStartMs(this.init, fragment));
    run.#order.accepts(fragment);
    return run;
  }

  /** Takes the next fragment into account. False when its times do not follow: it is not of this run. */
  follows(fragment: Fragment, arrival: Arrival): boolean {
    if (!this.#order.accepts(fragment)) return false;
    if (!fragment.hasVideo) return true;
    return this.clock.observe({ mediaEndMs: mediaEndMs(this.init, fragment), ...arrival });
  }

  /** Whole ms since 1970 UTC. */
  startOf(fragment: Fragment): number {
    return this.clock.wallAt(mediaStartMs(this.init, fragment));
  }

  endOf(fragment: Fragment): number {
    return this.clock.wallAt(mediaEndMs(this.init, fragment));
  }

  takeSequence(): number {
    return this.#nextSequence++;
  }
}

function mediaStartMs(init: InitSegment, fragment: Fragment): number {
  return (fragment.videoDecodeTime * 1000) / init.video.timescale;
}

function mediaEndMs(init: InitSegment, fragment: Fragment): number {
  return ((fragment.videoDecodeTime + fragment.videoDurationTicks) * 1000) / init.video.timescale;
}
