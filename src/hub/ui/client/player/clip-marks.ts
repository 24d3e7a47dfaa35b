import { isoOf } from "./timeline-data.ts";
import type { TimeFormats, Words } from "./words.ts";

/** The buttons and links of a part that is to be taken away. */
export interface ClipElements {
  text: HTMLElement;
  clip: HTMLAnchorElement;
  evidence: HTMLAnchorElement;
  clear: HTMLButtonElement;
}

/** Beginning and end of what is to be taken away, and where it is to be had. */
export class ClipMarks {
  fromMs: number | undefined;
  toMs: number | undefined;
  readonly #cameraIds: readonly string[];
  readonly #elements: ClipElements;
  readonly #words: Words;
  readonly #formats: TimeFormats;

  constructor(options: {
    cameraIds: readonly string[];
    elements: ClipElements;
    words: Words;
    formats: TimeFormats;
  }) {
    this.#cameraIds = options.cameraIds;
    this.#elements = options.elements;
    this.#words = options.words;
    this.#formats = options.formats;
    this.#write();
  }

  /** An end before the beginning, or the other way round, takes the other one with it. */
  mark(end: "from" | "to", atMs: number): void {
    if (end === "from") this.fromMs = atMs;
    else this.toMs = atMs;
    if (this.fromMs !== undefined && this.toMs !== undefined && this.fromMs >= this.toMs) {
      if (end === "from") this.toMs = undefined;
      else this.fromMs = undefined;
    }
    this.#write();
  }

  clear(): void {
    this.fromMs = undefined;
    this.toMs = undefined;
    this.#write();
  }

  #write(): void {
    const { text, clip, evidence, clear } = this.#elements;
    const { fromMs, toMs } = this;
    const isWhole = fromMs !== undefined && toMs !== undefined;
    const name = (ms: number | undefined) => (ms === undefined ? "…" : this.#formats.time(ms));
    text.textContent =
      fromMs === undefined && toMs === undefined
        ? this.#words.nothingMarked
        : `${name(fromMs)} – ${name(toMs)}${isWhole ? ` (${this.#formats.duration(toMs - fromMs)})` : ""}`;
    clear.hidden = fromMs === undefined && toMs === undefined;
    for (const link of [clip, evidence]) link.hidden = !isWhole;
    if (!isWhole) return;
    const range = new URLSearchParams({ from: isoOf(fromMs), to: isoOf(toMs) });
    const [only, ...others] = this.#cameraIds;
    const all = `camera_id=${this.#cameraIds.join(",")}&${range}`;
    clip.href = others.length === 0 ? `/api/cameras/${only}/clip.mp4?${range}` : `/api/clips.zip?${all}`;
    evidence.href = `/api/evidence.zip?${all}`;
  }
}
