import { zoneOffsetMs } from "../../../../common/time-zone.ts";
import { planBars } from "./plan-bars.ts";
import { type EdgeWords, planEdgeMarks } from "./plan-edge-marks.ts";
import { moved, planTicks, type View, zoomed } from "./plan-view.ts";
import type { TimelineData } from "./timeline-data.ts";
import { TimelineGestures } from "./timeline-gestures.ts";

const svgNamespace = "http://www.w3.org/2000/svg";
const axisPx = 22;
const rowPx = 30;
/** Kinds of gaps, the gravest last. */
const gravity = ["other", "meant", "down", "lost"];

export interface TimelineState {
  /** Undefined while nothing is shown. */
  atMs: number | undefined;
  mark: { fromMs: number | undefined; toMs: number | undefined };
}

export interface TimelineOptions {
  /** Takes the drawing and the gestures. */
  surface: HTMLElement;
  rows: readonly TimelineData[];
  timeZone: string;
  language: string;
  /** Of a gap: the colour. */
  kindOf(cause: string): string;
  /** What is said on what is not archived yet. */
  onEdge: EdgeWords;
  view: View;
  within(): View;
  onSeek(atMs: number, eventTime: number): void;
  onHover(hover: { atMs: number; x: number; row: TimelineData } | undefined): void;
}

/** A stretch of time on a line, one row for each camera: drawn anew as a whole, which never takes more than a few hundred bars. */
export class TimelineView {
  readonly #options: TimelineOptions;
  readonly #svg: SVGSVGElement;
  readonly #labels: Record<"second" | "minute" | "day", Intl.DateTimeFormat>;
  #view: View;
  #state: TimelineState = { atMs: undefined, mark: { fromMs: undefined, toMs: undefined } };
  #isDrawing = false;
  readonly #pen = document.createElement("canvas").getContext("2d");

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#view = options.view;
    const { surface, language, timeZone } = options;
    this.#svg = document.createElementNS(svgNamespace, "svg");
    this.#svg.setAttribute("aria-hidden", "true");
    surface.append(this.#svg);
    if (this.#pen) this.#pen.font = `600 12px ${getComputedStyle(surface).fontFamily}`;
    const label = (format: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(language, { hourCycle: "h23", timeZone, ...format });
    this.#labels = {
      second: label({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
      minute: label({ hour: "2-digit", minute: "2-digit" }),
      day: label({ month: "short", day: "numeric" }),
    };
    new TimelineGestures(surface, {
      onTap: (x, eventTime) => options.onSeek(this.#timeAt(x), eventTime),
      onDrag: (byPx) => this.move((-byPx / this.#width) * (this.#view.toMs - this.#view.fromMs)),
      onZoom: (factor, x) => this.zoom(factor, this.#timeAt(x)),
      onHover: (x, y) => {
        const row = y === undefined ? undefined : options.rows[Math.floor((y - axisPx) / rowPx)];
        const shown = row ?? options.rows[0];
        options.onHover(x === undefined || !shown ? undefined : { atMs: this.#timeAt(x), x, row: shown });
      },
    });
    new ResizeObserver(() => this.draw()).observe(surface);
    this.draw();
  }

  get view(): View {
    return this.#view;
  }

  set view(view: View) {
    this.#view = view;
    this.draw();
  }

  zoom(factor: number, aroundMs = this.#state.atMs ?? (this.#view.fromMs + this.#view.toMs) / 2): void {
    const isSeen = aroundMs >= this.#view.fromMs && aroundMs < this.#view.toMs;
    const around = isSeen ? aroundMs : (this.#view.fromMs + this.#view.toMs) / 2;
    this.view = zoomed(this.#view, factor, around, this.#options.within());
  }

  move(byMs: number): void {
    this.view = moved(this.#view, byMs, this.#options.within());
  }

  show(state: TimelineState): void {
    this.#state = state;
    this.draw();
  }

  /** Soon: several changes of a moment are one drawing. */
  draw(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#draw();
    });
  }

  get #width(): number {
    return Math.max(1, this.#options.surface.clientWidth);
  }

  #timeAt(x: number): number {
    return this.#view.fromMs + (x / this.#width) * (this.#view.toMs - this.#view.fromMs);
  }

  #xOf(atMs: number): number {
    return ((atMs - this.#view.fromMs) / (this.#view.toMs - this.#view.fromMs)) * this.#width;
  }

  /** Of a label; without a canvas, of one that is wide. */
  readonly #widthOf = (text: string): number => this.#pen?.measureText(text).width ?? text.length * 12;

  #draw(): void {
    const { rows, timeZone, kindOf, onEdge } = this.#options;
    const width = this.#width;
    const height = axisPx + rows.length * rowPx;
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.setAttribute("width", String(width));
    this.#svg.setAttribute("height", String(height));
    const drawn: SVGElement[] = [];
    for (const { atMs, unit } of planTicks(this.#view, width, zoneOffsetMs(this.#view.fromMs, timeZone))) {
      const x = this.#xOf(atMs);
      drawn.push(element("line", { x1: x, x2: x, y1: axisPx - 5, y2: height, class: "tick" }));
      const text = element("text", { x: x + 4, y: axisPx - 8, class: unit });
      text.textContent = this.#labels[unit].format(atMs);
      if (x < width - 30) drawn.push(text);
    }
    rows.forEach((data, i) => {
      data.want(this.#view);
      const y = axisPx + i * rowPx;
      const bar = (spans: readonly View[], top: number, height: number, name: string) => {
        for (const { x, width: long } of planBars(spans, this.#view, width)) {
          drawn.push(element("rect", { x, y: y + top, width: long, height, class: name }));
        }
      };
      drawn.push(element("rect", { x: 0, y: y + 2, width, height: rowPx - 4, class: "ground" }));
      const gapsByKind = [...Map.groupBy(data.gaps(this.#view), ({ cause }) => kindOf(cause))];
      // Where bars of different kinds meet, the gravest is seen.
      gapsByKind.sort(([a], [b]) => gravity.indexOf(a) - gravity.indexOf(b));
      for (const [kind, gaps] of gapsByKind) bar(gaps, 2, rowPx - 4, `gap ${kind}`);
      const edge = planEdgeMarks(data.onEdge, this.#view, width, { words: onEdge, widthOf: this.#widthOf });
      for (const { x, width: long, done } of edge.bars) {
        drawn.push(
          element("rect", { x: x + 1, y: y + 3, width: Math.max(1, long - 2), height: 24, class: "on-edge" }),
        );
        if (done > 0)
          drawn.push(element("rect", { x, y: y + 2, width: long * done, height: 26, class: "sent" }));
      }
      bar(data.recorded(this.#view), 2, rowPx - 4, "recorded");
      // Of many short ones between what is recorded something is seen, too.
      for (const [kind, gaps] of gapsByKind) bar(gaps, rowPx - 7, 5, `gap ${kind}`);
      bar(data.mock(this.#view), rowPx - 9, 7, "mock");
      for (const { text, x, width: long, isBeside } of edge.labels) {
        // What is beside may lie over what is recorded.
        if (isBeside)
          drawn.push(
            element("rect", { x: x - 3, y: y + 6, width: long + 6, height: 18, rx: 4, class: "plate" }),
          );
        const label = element("text", { x, y: y + 19, class: "edge-label" });
        label.textContent = text;
        drawn.push(label);
      }
    });
    const { atMs, mark } = this.#state;
    if (mark.fromMs !== undefined || mark.toMs !== undefined) {
      const from = this.#xOf(mark.fromMs ?? mark.toMs ?? 0);
      const to = this.#xOf(mark.toMs ?? mark.fromMs ?? 0);
      const long = Math.max(2, to - from);
      drawn.push(
        element("rect", { x: from, y: axisPx, width: long, height: height - axisPx, class: "mark" }),
      );
    }
    if (atMs !== undefined) {
      const x = this.#xOf(atMs);
      drawn.push(element("line", { x1: x, x2: x, y1: axisPx - 4, y2: height, class: "head" }));
      drawn.push(element("circle", { cx: x, cy: axisPx - 4, r: 4, class: "head" }));
    }
    this.#svg.replaceChildren(...drawn);
  }
}

function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, typeof value === "number" ? String(Math.round(value * 100) / 100) : value);
  }
  return made;
}
