import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

/**
 * When the fragments of a source that can be read at any speed are to be taken: each when its last picture would have
 * been shot, had the first been shot when the first fragment was there. What is late is taken at once, until the time that
 * was lost is made up for. Monotonic times, in ms. Pure given its inputs.
 */
export class RealTimePace {
  /** When the media's zero was shot. */
  #zeroMs: number | undefined;

  /** How long this fragment, the next of the stream, is to wait; at most as long as it is itself. */
  waitMs(fragment: Fragment, init: InitSegment, nowMs: number): number {
    // Sound alone belongs to pictures that were taken already.
    if (!fragment.hasVideo) return 0;
    const ticks = fragment.videoDecodeTime + fragment.videoDurationTicks;
    const endMs = (ticks * 1000) / init.video.timescale;
    const latestZeroMs = nowMs + fragment.videoDurationMs - endMs;
    // Times that jump ahead are no reason to wait.
    this.#zeroMs = Math.min(this.#zeroMs ?? latestZeroMs, latestZeroMs);
    return Math.max(0, this.#zeroMs + endMs - nowMs);
  }
}
