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

  /** When `activeMs` of the time in windows will have passed; undefined when that takes more than a week. */
  afterMs(wallMs: number, activeMs: number): number | undefined {
    if (this.#windows.length === 0) return activeMs > horizonMs ? undefined : wallMs + activeMs;
    let leftMs = activeMs;
    for (const { startMs, endMs, open } of this.#minutesFrom(wallMs)) {
      if (!open) continue;
      const fromMs = Math.max(startMs, wallMs);
      if (leftMs <= endMs - fromMs) return fromMs + leftMs;
      leftMs -= endMs - fromMs;
    }
    return undefined;
  }

  *#minutesFrom(wallMs: number): Generator<Minute> {
    const firstMs = Math.floor(wallMs / quarterMs) * quarterMs;
    for (let quarter = firstMs; quarter < wallMs + horizonMs; quarter += quarterMs) {
      const offsetMs = zoneOffsetMs(quarter, this.#timeZone);
      for (let startMs = quarter; startMs < quarter + quarterMs; startMs += minuteMs) {
        if (startMs + minuteMs <= wallMs) continue;
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
