import type { View } from "./plan-view.ts";

export interface Bar {
  x: number;
  width: number;
}

/** What is narrower could not be seen. */
const leastPx = 2;

/**
 * What to draw of spans, in pixels from the left: those that would touch are one, so there are never more than a third
 * of the pixels, however many spans there are. They come by start. Pure.
 */
export function planBars(spans: readonly View[], view: View, widthPx: number): Bar[] {
  const scale = widthPx / (view.toMs - view.fromMs);
  const bars: Bar[] = [];
  for (const { fromMs, toMs } of spans) {
    if (toMs <= view.fromMs || fromMs >= view.toMs) continue;
    const x = Math.max(0, (fromMs - view.fromMs) * scale);
    const end = Math.min(widthPx, Math.max((toMs - view.fromMs) * scale, x + leastPx));
    const last = bars.at(-1);
    if (last && x - (last.x + last.width) < 1) last.width = Math.max(last.width, end - last.x);
    else bars.push({ x, width: end - x });
  }
  return bars;
}
