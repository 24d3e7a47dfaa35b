import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

interface Entry {
  arrivedMs: number;
  mediaMs: number;
  frames: number;
  sizeBytes: number;
}

/** Fragments looked back on. */
const window = 16;

/** Measures what a stream delivers, over its last fragments. Times in ms of one monotonic clock. */
export class FragmentMeter {
  readonly #entries: Entry[] = [];

  add(fragment: Fragment, init: InitSegment, arrivedMs: number): void {
    const video = fragment.tracks.find((track) => track.trackId === init.video.trackId);
    if (!video) return;
    this.#entries.push({
      arrivedMs,
      mediaMs: fragment.videoDurationMs,
      frames: video.sampleCount,
      sizeBytes: fragment.sizeBytes,
    });
    if (this.#entries.length > window) this.#entries.shift();
  }

  get fps(): number | undefined {
    const mediaMs = this.#sum("mediaMs");
    return mediaMs > 0 ? Math.round((this.#sum("frames") * 100_000) / mediaMs) / 100 : undefined;
  }

  /** Of the whole stream, sound and container included. */
  get bitrateBps(): number | undefined {
    const mediaMs = this.#sum("mediaMs");
    return mediaMs > 0 ? Math.round((this.#sum("sizeBytes") * 8000) / mediaMs) : undefined;
  }

  get longestMs(): number {
    return this.#entries.reduce((longest, { mediaMs }) => Math.max(longest, mediaMs), 0);
  }

  /** Whether the newest fragment is recent, and the last ones brought about as much time as went by. */
  isSteady(nowMs: number): boolean {
    const [first, ...rest] = this.#entries;
    const last = this.#entries.at(-1);
    if (!first || !last || nowMs - last.arrivedMs > 3 * this.longestMs + 2_000) return false;
    const elapsedMs = last.arrivedMs - first.arrivedMs;
    const broughtMs = rest.reduce((sum, { mediaMs }) => sum + mediaMs, 0);
    return elapsedMs < 5_000 || broughtMs >= 0.8 * elapsedMs;
  }

  #sum(field: keyof Entry): number {
    return this.#entries.reduce((sum, entry) => sum + entry[field], 0);
  }
}
