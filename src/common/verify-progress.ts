import type { Clock } from "./clock.ts";

/** Where text goes: `process.stdout` and `process.stderr`, or a test's. */
export interface TextSink {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const redrawEveryMs = 100;

/** One line on a terminal that is drawn over: files, bytes, rate and the time that is left. */
export class ProgressBar {
  readonly #startedAtMs: number;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;
  #filesDone = 0;

  /** Without a `sink` nothing is drawn. */
  constructor(
    readonly sink: TextSink | undefined,
    readonly clock: Clock,
    readonly totalBytes: number,
    readonly totalFiles: number,
  ) {
    this.#startedAtMs = clock.monotonicMs();
  }

  /** At most ten times a second. */
  show(bytesDone: number, wrong: number): void {
    if (this.sink === undefined) return;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#drawnAtMs < redrawEveryMs) return;
    this.#drawnAtMs = nowMs;
    this.#isDrawn = true;
    const line = this.#line(bytesDone, wrong, (nowMs - this.#startedAtMs) / 1000);
    this.sink.write(`\r\u001b[K${line.slice(0, Math.max(20, (this.sink.columns || 80) - 1))}`);
  }

  finishFile(bytesDone: number, wrong: number): void {
    this.#filesDone++;
    this.show(bytesDone, wrong);
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.sink?.write("\r\u001b[K");
  }

  #line(bytesDone: number, wrong: number, seconds: number): string {
    const part = this.totalBytes === 0 ? 1 : Math.min(1, bytesDone / this.totalBytes);
    const filled = Math.round(part * 20);
    const bytesPerSecond = seconds > 0 ? bytesDone / seconds : 0;
    const left = bytesPerSecond > 0 ? formatSeconds((this.totalBytes - bytesDone) / bytesPerSecond) : "?";
    return [
      `[${"#".repeat(filled)}${".".repeat(20 - filled)}] ${Math.floor(part * 100)} %`,
      `${this.#filesDone}/${this.totalFiles} files`,
      `${formatBytes(bytesDone)} of ${formatBytes(this.totalBytes)}`,
      `${formatBytes(bytesPerSecond)}/s`,
      `${left} left`,
      ...(wrong > 0 ? [`${wrong} wrong`] : []),
    ].join("  ");
  }
}

function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
