import { previewOf } from "./previews.ts";
import type { TimelineData } from "./timeline-data.ts";
import { wallMs } from "./wall-clock.ts";
import { fill, type TimeFormats, type Words } from "./words.ts";

/** Beside the mouse over the timeline: the time, what is there, and a small picture where there is one. */
export class HoverCard {
  readonly #card: HTMLElement;
  readonly #picture = document.createElement("div");
  readonly #text = document.createElement("p");
  readonly #words: Words;
  readonly #formats: TimeFormats;
  #shown = 0;

  constructor(card: HTMLElement, words: Words, formats: TimeFormats) {
    this.#card = card;
    this.#words = words;
    this.#formats = formats;
    this.#picture.className = "preview";
    card.append(this.#picture, this.#text);
  }

  show(at: { atMs: number; x: number; row: TimelineData } | undefined, widthPx: number): void {
    const shown = ++this.#shown;
    this.#card.hidden = at === undefined;
    this.#picture.hidden = true;
    if (!at) return;
    this.#text.textContent = `${this.#formats.time(at.atMs)} · ${this.#say(at.row, at.atMs)}`;
    const half = this.#card.offsetWidth / 2;
    this.#card.style.left = `${Math.min(Math.max(at.x, half), widthPx - half)}px`;
    const video = at.row.videoAt(at.atMs);
    if (!video) return;
    void previewOf(video, at.atMs).then((preview) => {
      if (!preview || shown !== this.#shown) return;
      const { style } = this.#picture;
      style.width = `${preview.width}px`;
      style.height = `${preview.height}px`;
      style.backgroundImage = `url("${preview.image}")`;
      style.backgroundPosition = `-${preview.x}px -${preview.y}px`;
      this.#picture.hidden = false;
    });
  }

  #say(data: TimelineData, atMs: number): string {
    const words = this.#words;
    if (data.isRecordedAt(atMs)) return words.recorded;
    const onEdge = data.onEdge.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    if (onEdge?.status === "uploading") return fill(words.uploading, this.#formats.share(onEdge.progress));
    if (onEdge) return words.onEdge;
    if (atMs > wallMs()) return words.notYet;
    const gap = data.gapAt(atMs);
    return gap ? (words.causes[gap.cause] ?? words.notRecorded) : words.notRecorded;
  }
}
