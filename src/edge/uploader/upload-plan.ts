import { inForce, type Live } from "../../common/live-setting.ts";
import type { WaitingSegment } from "./upload-queue.ts";

export type UploadOrder = "oldest_first" | "newest_first";

interface Held {
  /** Monotonic. */
  untilMs: number;
  /** In which order they were held back: they come after all others, in that order. */
  turn: number;
  reason: string;
}

/** Not tried again before, even when it is the only one that waits. */
const holdMs = 60_000;

/** Which segment is next: those that somebody waits for, the configured order, and last those that were cancelled or failed for themselves. */
export class UploadPlan {
  readonly #order: Live<UploadOrder>;
  readonly #preferred: () => readonly string[];
  readonly #held = new Map<string, Held>();
  #turns = 0;

  /** `preferred`: ids of those that somebody waits for, the one to be next first. */
  constructor(order: Live<UploadOrder>, preferred: () => readonly string[] = () => []) {
    this.#order = order;
    this.#preferred = preferred;
  }

  /** `waiting` is oldest first; what is under way is not next. Without a next one, `inMs` says when there will be one; undefined: not by waiting. */
  next(
    waiting: readonly WaitingSegment[],
    nowMs: number,
    isUnderWay: (videoId: string) => boolean,
  ): { next: WaitingSegment | undefined; inMs: number | undefined } {
    this.#forgetAllBut(waiting);
    const next = this.#firstOf(
      waiting,
      ({ videoId }) => !isUnderWay(videoId) && !this.isHeldBack(videoId, nowMs),
    );
    const times = [...this.#held.values()].map(({ untilMs }) => Math.max(0, untilMs - nowMs));
    return { next, inMs: next || times.length === 0 ? undefined : Math.min(...times) };
  }

  order<T extends WaitingSegment>(waiting: readonly T[]): T[] {
    const inOrder = inForce(this.#order) === "oldest_first" ? [...waiting] : waiting.toReversed();
    const preferred = this.#preferred();
    if (this.#held.size === 0 && preferred.length === 0) return inOrder;
    const places = new Map(preferred.map((videoId, place) => [videoId, place - preferred.length]));
    const turn = ({ videoId }: T) => this.#held.get(videoId)?.turn ?? places.get(videoId) ?? 0;
    return inOrder.sort((a, b) => turn(a) - turn(b));
  }

  /** As the first of {@link order}, without ordering ten thousand when nothing is held or preferred. */
  #firstOf(
    waiting: readonly WaitingSegment[],
    isDue: (segment: WaitingSegment) => boolean,
  ): WaitingSegment | undefined {
    if (this.#held.size > 0 || this.#preferred().length > 0) return this.order(waiting).find(isDue);
    return inForce(this.#order) === "oldest_first" ? waiting.find(isDue) : waiting.findLast(isDue);
  }

  holdBack(videoId: string, reason: string, nowMs: number): void {
    this.#held.set(videoId, { untilMs: nowMs + holdMs, turn: ++this.#turns, reason });
  }

  release(videoId: string): void {
    this.#held.delete(videoId);
  }

  isHeldBack(videoId: string, nowMs: number): boolean {
    return (this.#held.get(videoId)?.untilMs ?? Number.NEGATIVE_INFINITY) > nowMs;
  }

  isAnyHeldBack(nowMs: number): boolean {
    return [...this.#held.values()].some(({ untilMs }) => untilMs > nowMs);
  }

  lastErrorOf(videoId: string): string | undefined {
    return this.#held.get(videoId)?.reason;
  }

  #forgetAllBut(waiting: readonly WaitingSegment[]): void {
    if (this.#held.size === 0) return;
    const ids = new Set(waiting.map(({ videoId }) => videoId));
    for (const videoId of [...this.#held.keys()]) if (!ids.has(videoId)) this.#held.delete(videoId);
  }
}
