import type { Clock } from "../../common/clock.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { UploadWindows } from "./upload-windows.ts";

export interface UploadForecastOptions {
  windows?: Live<UploadWindows | undefined>;
  clock: Clock;
}

/** What was measured so long ago counts half, in time spent uploading. */
const halfLifeMs = 60_000;
/** Before so long, the first bytes say nothing: they only went into a buffer. */
const minMeasuredMs = 500;

/**
 * How fast segments reach the archive, all in all, and when those that wait will be there. Only uploads that succeed
 * count, and the one that runs.
 */
export class UploadForecast {
  readonly #options: UploadForecastOptions;
  #bytes = 0;
  #ms = 0;
  /** Bytes so far of each upload that runs. */
  readonly #running = new Map<string, number>();
  /** Since when the time of the running ones is not counted yet. */
  #sinceMs = 0;

  constructor(options: UploadForecastOptions) {
    this.#options = options;
  }

  started(videoId: string): void {
    if (this.#running.size === 0) this.#sinceMs = this.#options.clock.monotonicMs();
    this.#running.set(videoId, 0);
  }

  /** Of a running upload, so far. */
  reached(videoId: string, bytes: number): void {
    if (this.#running.has(videoId)) this.#running.set(videoId, bytes);
  }

  /** Where uploads overlap, their common time counts once. */
  succeeded(videoId: string, bytes: number): void {
    if (!this.#running.delete(videoId)) return;
    const nowMs = this.#options.clock.monotonicMs();
    const tookMs = nowMs - this.#sinceMs;
    const kept = 0.5 ** (tookMs / halfLifeMs);
    this.#bytes = this.#bytes * kept + bytes;
    this.#ms = this.#ms * kept + tookMs;
    this.#sinceMs = nowMs;
  }

  failed(videoId: string): void {
    this.#running.delete(videoId);
    this.#sinceMs = this.#options.clock.monotonicMs();
  }

  /** Undefined until something was measured. */
  bytesPerSecond(): number | undefined {
    const { clock } = this.#options;
    const runningMs = this.#running.size > 0 ? clock.monotonicMs() - this.#sinceMs : 0;
    const ms = this.#ms + runningMs;
    if (ms < minMeasuredMs && this.#ms === 0) return undefined;
    return ms > 0 ? ((this.#bytes + this.#runningBytes()) / ms) * 1000 : undefined;
  }

  #runningBytes(): number {
    let sum = 0;
    for (const bytes of this.#running.values()) sum += bytes;
    return sum;
  }

  /**
   * Seconds until each of the segments is archived, which are uploaded in this order and have so many bytes to go;
   * undefined where it cannot be told.
   */
  secondsUntil(remainingBytes: readonly number[]): (number | undefined)[] {
    const { clock } = this.#options;
    const windows = inForce(this.#options.windows);
    const rate = this.bytesPerSecond();
    if (!rate) return remainingBytes.map(() => undefined);
    let bytes = 0;
    const activeMs = remainingBytes.map((size) => {
      bytes += size;
      return (bytes / rate) * 1000;
    });
    const nowMs = clock.wallMs();
    const times = windows?.timesAfter(nowMs, activeMs) ?? activeMs.map((ms) => nowMs + ms);
    return times.map((time) => (time === undefined ? undefined : (time - nowMs) / 1000));
  }
}
