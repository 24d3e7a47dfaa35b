import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

/** Adds up what a segment holds, fragment by fragment; only sums are kept. */
export class SegmentTally {
  readonly #init: InitSegment;
  #frames = 0;
  #firstDecodeTime: number | undefined;
  #endDecodeTime = 0;

  constructor(init: InitSegment) {
    this.#init = init;
  }

  add(fragment: Fragment): void {
    if (!fragment.hasVideo) return;
    this.#firstDecodeTime ??= fragment.videoDecodeTime;
    this.#endDecodeTime = fragment.videoDecodeTime + fragment.videoDurationTicks;
    for (const track of fragment.tracks) {
      if (track.trackId === this.#init.video.trackId) this.#frames += track.sampleCount;
    }
  }

  /** Media time of the video, rounded. */
  get durationMs(): number {
    return Math.round((this.#ticks * 1000) / this.#init.video.timescale);
  }

  /** Average over the segment, to three decimals. */
  get fps(): number {
    if (this.#ticks <= 0) return 0;
    const perSecond = (this.#frames * this.#init.video.timescale) / this.#ticks;
    return Math.min(1000, Math.round(perSecond * 1000) / 1000);
  }

  get #ticks(): number {
    return this.#endDecodeTime - (this.#firstDecodeTime ?? this.#endDecodeTime);
  }
}
