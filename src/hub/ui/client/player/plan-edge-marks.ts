import { type Bar, planBars } from "./plan-bars.ts";
import type { View } from "./plan-view.ts";
import type { OnEdge } from "./timeline-data.ts";

export interface EdgeWords {
  waiting: string;
  uploading(progress: number): string;
}

export interface EdgeMarks {
  /** What waits on the node or is being recorded there, neighbours as one, and each that is on its way. */
  bars: readonly (Bar & {
    /** Of the bar, from the left: in the archive already. 0 to 1. */
    done: number;
  })[];
  /** On the bars where they have room, else beside them. */
  labels: readonly { text: string; x: number; width: number; isBeside: boolean }[];
}

/** Beside a label, to either side. */
const marginPx = 6;

/** How what is on the edge is drawn on a line of time; `widthOf`: of a text. Pure. */
export function planEdgeMarks(
  onEdge: readonly OnEdge[],
  view: View,
  widthPx: number,
  { words, widthOf }: { words: EdgeWords; widthOf(text: string): number },
): EdgeMarks {
  const seen = onEdge.filter(({ fromMs, toMs }) => toMs > view.fromMs && fromMs < view.toMs);
  const sent = seen.filter(({ status }) => status === "uploading");
  const waiting = seen.filter(({ status }) => status !== "uploading");
  const labelled = [
    ...sent.flatMap((video) =>
      planBars([video], view, widthPx).map((bar) => ({
        ...bar,
        done: doneIn(video, view),
        text: words.uploading(video.progress),
      })),
    ),
    ...planBars(waiting, view, widthPx).map((bar) => ({ ...bar, done: 0, text: words.waiting })),
  ];
  const labels: EdgeMarks["labels"][number][] = [];
  const beside = new Set<string>();
  for (const { text, x, width } of labelled) {
    const needs = widthOf(text) + 2 * marginPx;
    if (needs <= width) labels.push({ text, x: x + marginPx, width: needs - 2 * marginPx, isBeside: false });
    else beside.add(text);
  }
  for (const { text } of labels) beside.delete(text);
  if (beside.size > 0) {
    const text = [...beside].join(" · ");
    const width = widthOf(text);
    const end = Math.max(...labelled.map((bar) => bar.x + bar.width));
    const start = Math.min(...labelled.map(({ x }) => x));
    const hasRoom = end + width + 2 * marginPx <= widthPx;
    const x = hasRoom ? end + marginPx : Math.max(marginPx, start - marginPx - width);
    labels.push({ text, x, width, isBeside: true });
  }
  return { bars: labelled.map(({ x, width, done }) => ({ x, width, done })), labels };
}

/** Of what is seen of it: an upload goes from its beginning to its end. */
function doneIn({ fromMs, toMs, progress }: OnEdge, view: View): number {
  const [from, to] = [Math.max(fromMs, view.fromMs), Math.min(toMs, view.toMs)];
  return Math.min(1, Math.max(0, (fromMs + progress * (toMs - fromMs) - from) / (to - from)));
}
