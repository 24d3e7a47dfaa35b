import type { Fragment } from "../../common/mp4/fragment.ts";

/** Watches that the decode times of every track go forward, as they must within a file. */
export class DecodeOrder {
  /** Decode time of each track's last sample, in ticks of the track. */
  readonly #last = new Map<number, number>();

  /** False, and nothing is remembered, when the fragment begins before the last sample of what came before. */
  accepts(fragment: Fragment): boolean {
    for (const { trackId, baseDecodeTime } of fragment.tracks) {
      if (baseDecodeTime < (this.#last.get(trackId) ?? 0)) return false;
    }
    for (const { trackId, baseDecodeTime, durationTicks, durations } of fragment.tracks) {
      this.#last.set(trackId, baseDecodeTime + durationTicks - (durations.at(-1) ?? 0));
    }
    return true;
  }
}
