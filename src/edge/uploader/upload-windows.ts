import { zoneOffsetMs } from "../../common/time-zone.ts";

/** Minutes of the local day; the end is not in it, and may be before the start. */
interface Window {
  from: number;
  to: number;
}

interface Minute {
  startMs: number;
  endMs: number;
  open: boolean;
}

const minuteMs = 60_000;
const minutesPerDay = 24 * 60;
/** Every zone changes its offset on a quarter of an hour of UTC. */
const quarterMs = 15 * minuteMs;
/** Nobody can say what a network does later. */
const horizonMs = 7 * 24 * 60 * minuteMs;

/**
 * When uploads may start, by the clock on the wall: while it shows a time in one of the windows. So an hour that
 * daylight saving skips is not there to upload in, and one that it repeats is there twice. Without windows, always.
 */
export class UploadWindows {
  readonly #windows: readonly Window[];
  readonly #timeZone: string;

  /** `windows` as in `22:00-06:00`. */
  constructor(windows: readonly string[], timeZone: string) {
    this.#windows = windows.map(parseWindow);
    this.#timeZone = timeZone;
  }

  /** The first instant from `wallMs` on that is in a window; undefined when there is none for a week. */
  nextOpenMs(wallMs: number): number | undefined {
    if (this.#windows.length === 0) return wallMs;
    for (const { startMs, open } of this.#minutesFrom(wallMs)) if (open) return Math.max(startMs, wallMs);
    return undefined;
  }

  /**
   * When so much of the time in windows will have passed, for each of `activeMs`, which ascend; undefined for what
   * takes more than a week.
   */
  timesAfter(wallMs: number, activeMs: readonly number[]): (number | undefined)[] {
    if (this.#windows.length === 0) return activeMs.map((ms) => (ms > horizonMs ? undefined : wallMs + ms));
    const times = activeMs.map((): number | undefined => undefined);
    let told = 0;
    let passedMs = 0;
    for (const { startMs, endMs, open } of this.#minutesFrom(wallMs)) {
      if (told === activeMs.length) break;
      if (!open) continue;
      const fromMs = Math.max(startMs, wallMs);
      for (
        let ms = activeMs[told];
        ms !== undefined && ms - passedMs <= endMs - fromMs;
        ms = activeMs[told]
      ) {
        times[told++] = fromMs + ms - passedMs;
      }
      passedMs += endMs - fromMs;
    }
    return times;
  }

  *#minutesFrom(wallMs: number): Generator<Minute> {
    const firstMs = Math.floor(wallMs / quarterMs) * quarterMs;
    for (let quarter = firstMs; quarter < wallMs + horizonMs; quarter += quarterMs) {
      const offsetMs = zoneOffsetMs(quarter, this.#timeZone);
      for (let startMs = quarter; startMs < quarter + quarterMs; startMs += minuteMs) {
        if (startMs + minuteMs <= wallMs) continue;
        if (startMs >= wallMs + horizonMs) return;
        const minute = Math.floor((startMs + offsetMs) / minuteMs) % minutesPerDay;
        yield {
          startMs,
          endMs: startMs + minuteMs,
          open: this.#windows.some((window) => isIn(window, minute)),
        };
      }
    }
  }
}

function isIn({ from, to }: Window, minute: number): boolean {
  return from < to ? from <= minute && minute < to : from <= minute || minute < to;
}

function parseWindow(text: string): Window {
  const [from = 0, to = 0] = text.split("-").map((time) => {
    const [hour = 0, minute = 0] = time.split(":").map(Number);
    return hour * 60 + minute;
  });
  return { from, to };
}
