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
  #current: { startedMs: number; bytes: number } | undefined;

  constructor(options: UploadForecastOptions) {
    this.#options = options;
  }

  started(): void {
    this.#current = { startedMs: this.#options.clock.monotonicMs(), bytes: 0 };
  }

  /** Of the running upload, so far. */
  reached(bytes: number): void {
    if (this.#current) this.#current.bytes = bytes;
  }

  succeeded(bytes: number): void {
    if (!this.#current) return;
    const tookMs = this.#options.clock.monotonicMs() - this.#current.startedMs;
    const kept = 0.5 ** (tookMs / halfLifeMs);
    this.#bytes = this.#bytes * kept + bytes;
    this.#ms = this.#ms * kept + tookMs;
    this.#current = undefined;
  }

  failed(): void {
    this.#current = undefined;
  }

  /** Undefined until something was measured. */
  bytesPerSecond(): number | undefined {
    const { clock } = this.#options;
    const runningMs = this.#current ? clock.monotonicMs() - this.#current.startedMs : 0;
    const ms = this.#ms + runningMs;
    if (ms < minMeasuredMs && this.#ms === 0) return undefined;
    return ms > 0 ? ((this.#bytes + (this.#current?.bytes ?? 0)) / ms) * 1000 : undefined;
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
