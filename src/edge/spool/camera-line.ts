import type { Clock } from "../../common/clock.ts";
import { earliestWallMs } from "../../common/clock.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import type { GapCause } from "../../common/protocol/gap.ts";
import { type GapPart, type GapSpan, holesBetween, planGaps, shortPartMs, stepBetween } from "./plan-gaps.ts";
import type { Accounted } from "./recorded-state.ts";

/** A gap that goes on longer is told in parts of about this. */
const longestPartMs = 600_000;

export interface SegmentEnded {
  endTimeMs: number;
  fps: number;
  /** Wall minus monotonic time by which it is dated: the wall clock may have been set before it ended. */
  wallOffsetMs?: number | undefined;
  /** That clock was not set when it began: it is dated anew when it is. */
  isUndated?: boolean;
  /** Of what is missing from here on. */
  cause: GapCause;
  detail: string;
}

export interface CameraLineOptions {
  clock: Clock;
  /** Whether the wall clock can be believed now. */
  isClockSet: () => boolean;
  /** So long, in ms, what ended by a clock that is not set waits for its date. */
  holdMs: Live<number>;
}

/** A gap that ended while the clock was not set, until it can be dated. */
interface Undated {
  parts: readonly GapPart[];
  end: { toMs: number; wallOffsetMs: number; leastMs: number };
  /** Monotonic. */
  sinceMs: number;
}

export const pausedDetail = "paused by request";

/** One camera's time, from its first moment in this process on: recorded, or missing for a cause. */
export class CameraLine {
  readonly #clock: Clock;
  readonly #isClockSet: () => boolean;
  readonly #holdMs: Live<number>;
  #undated: Undated[] = [];
  /** Nothing is recorded since the first of them; empty while something is. */
  #missing: GapPart[] = [];
  #untilMs: number | undefined;
  /** Wall minus monotonic time at the newest fragment. */
  #wallOffsetMs: number;
  #leastMs = 100;
  /** It never recorded. */
  #isNew = false;
  /** What came before this process is not known yet; `first`: the hole before the first segment, which waits for it. */
  #unsettled: { first?: { parts: GapPart[]; toMs: number; wallOffsetMs: number } } | undefined;

  constructor({ clock, isClockSet, holdMs }: CameraLineOptions) {
    this.#clock = clock;
    this.#isClockSet = isClockSet;
    this.#holdMs = holdMs;
    this.#wallOffsetMs = this.#offset();
  }

  /** `isPaused`: nothing is recorded before somebody resumes it. */
  expect({ isPaused }: { isPaused: boolean }): void {
    this.#unsettled = {};
    const nowMs = this.#clock.wallMs();
    this.#missing = [
      isPaused
        ? this.#partFrom(nowMs, "paused", pausedDetail)
        : this.#partFrom(nowMs, "camera_failed", "no picture since the start"),
    ];
  }

  /** Where this process's part of the line begins. */
  get firstMs(): number {
    return this.#unsettled?.first?.toMs ?? this.#missing[0]?.fromMs ?? this.#clock.wallMs();
  }

  started(startTimeMs: number): GapSpan[] {
    const end = { toMs: startTimeMs, wallOffsetMs: this.#offset() };
    const parts = this.#missing;
    this.#missing = [];
    this.#untilMs = startTimeMs;
    this.appended();
    if (this.#unsettled && !this.#unsettled.first) {
      this.#unsettled.first = { parts, ...end };
      return [];
    }
    // Until its first picture ever is there, a camera is not late.
    const isLate = !this.#isNew || startTimeMs - (parts[0]?.fromMs ?? startTimeMs) >= shortPartMs;
    this.#isNew = false;
    return isLate ? this.#plan(parts, end) : [];
  }

  appended(): void {
    this.#wallOffsetMs = this.#offset();
  }

  ended(end: SegmentEnded): void {
    const { endTimeMs, fps, wallOffsetMs = this.#wallOffsetMs, isUndated, cause, detail } = end;
    // Between the last frame and the first of the next run there is at least the time of one.
    this.#leastMs = fps > 0 ? Math.min(10_000, Math.max(100, 2000 / fps)) : 100;
    const by = isUndated ? "unset" : undefined;
    this.#missing = [{ fromMs: endTimeMs, cause, detail, wallOffsetMs, by }];
  }

  interrupted(cause: GapCause, detail: string): void {
    const last = this.#missing.at(-1);
    if (last && last.cause !== cause) this.#missing.push(this.#partFrom(this.#clock.wallMs(), cause, detail));
  }

  /** What is missing from here on is missing because nobody wants it; a pause goes on. */
  stopped(): GapSpan[] {
    const nowMs = this.#clock.wallMs();
    const fromMs = this.#missing[0]?.fromMs ?? nowMs;
    const isLong = nowMs - fromMs >= shortPartMs;
    const isPaused = this.#missing.at(-1)?.cause === "paused";
    const told = isLong ? this.#endAt(nowMs) : [];
    const sinceMs = isLong ? nowMs : fromMs;
    this.#missing = [
      isPaused
        ? this.#partFrom(sinceMs, "paused", pausedDetail)
        : this.#partFrom(sinceMs, "node_stopped", "the edge was stopped"),
    ];
    return told;
  }

  /** Gaps that ended while the clock was not set: once it is, or nobody waits for that any more. */
  dated(options: { isOver: boolean } = { isOver: false }): GapSpan[] {
    const isSet = this.#isClockSet();
    const nowMs = this.#clock.monotonicMs();
    const isDue = ({ sinceMs }: Undated) =>
      isSet || options.isOver || nowMs - sinceMs >= inForce(this.#holdMs);
    const due = this.#undated.filter(isDue);
    this.#undated = this.#undated.filter((gap) => !due.includes(gap));
    return due.flatMap(({ parts, end }) => {
      const movedMs = isSet ? stepBetween(end.wallOffsetMs, this.#offset()) : 0;
      const { toMs, wallOffsetMs, leastMs } = end;
      return planGaps(parts, { toMs: toMs + movedMs, wallOffsetMs: wallOffsetMs + movedMs, leastMs });
    });
  }

  tick(): GapSpan[] {
    const [first] = this.#missing;
    const last = this.#missing.at(-1);
    const nowMs = this.#clock.wallMs();
    if (!first || !last || this.#unsettled || nowMs < earliestWallMs) return [];
    // Time that really went by: the wall clock may have been set since.
    if (this.#clock.monotonicMs() - (first.fromMs - first.wallOffsetMs) < longestPartMs) return [];
    const told = this.#endAt(nowMs);
    this.#missing = [this.#partFrom(nowMs, last.cause, last.detail)];
    return told;
  }

  /** `known`: where the last process left off; `accounted`: what is in segments or gaps since. */
  settle(known: Accounted | undefined, accounted: readonly { fromMs: number; toMs: number }[]): GapSpan[] {
    const first = this.#unsettled?.first;
    this.#unsettled = undefined;
    const parts = first?.parts ?? this.#missing;
    const beginMs = parts[0]?.fromMs ?? this.#clock.wallMs();
    const pastMs = Math.max(known?.untilMs ?? 0, ...accounted.map(({ toMs }) => toMs));
    if (pastMs === 0) {
      this.#isNew = first === undefined;
      return first && first.toMs - beginMs >= shortPartMs ? this.#plan(parts, first) : [];
    }
    const { cause, detail } = causeBetween(known?.missingFor, parts[0]?.cause);
    const holes = holesBetween(known?.untilMs ?? pastMs, pastMs, accounted)
      .filter((hole) => hole.toMs - hole.fromMs >= this.#leastMs)
      .map((hole) => ({ ...hole, cause, detail }) satisfies GapSpan);
    const past: GapPart = {
      ...{ fromMs: pastMs, cause, detail },
      wallOffsetMs: parts[0]?.wallOffsetMs ?? this.#offset(),
      // An unset clock says nothing about when that was.
      by: parts[0]?.by === "unset" ? "past" : undefined,
    };
    if (first) return [...holes, ...this.#plan([past, ...parts], first)];
    this.#missing = [past, ...parts];
    return holes;
  }

  /** For the state, under its name; nothing for a camera that never recorded. */
  accounted(cameraId: string): [string, Accounted][] {
    const [open = this.#missing[0]] = this.#undated.flatMap(({ parts }) => parts);
    const untilMs = open?.fromMs ?? this.#untilMs;
    if (untilMs === undefined || untilMs < earliestWallMs) return [];
    return [[cameraId, { untilMs, missingFor: this.#missing.at(-1)?.cause ?? open?.cause }]];
  }

  #endAt(toMs: number): GapSpan[] {
    return this.#plan(this.#missing, { toMs, wallOffsetMs: this.#offset() });
  }

  #plan(parts: readonly GapPart[], end: { toMs: number; wallOffsetMs: number }): GapSpan[] {
    const known = { ...end, leastMs: this.#leastMs };
    if (this.#isClockSet()) return planGaps(parts, known);
    this.#undated.push({ parts, end: known, sinceMs: this.#clock.monotonicMs() });
    return [];
  }

  #partFrom(fromMs: number, cause: GapCause, detail: string): GapPart {
    const by = this.#isClockSet() ? undefined : "unset";
    return { fromMs, cause, detail, wallOffsetMs: this.#offset(), by };
  }

  #offset(): number {
    return this.#clock.wallMs() - this.#clock.monotonicMs();
  }
}

/** Why nothing was recorded between two processes, by what was missing at the end of one and the start of the next. */
function causeBetween(
  before: GapCause | undefined,
  after: GapCause | undefined,
): { cause: GapCause; detail: string } {
  // Nothing would have been recorded had the node been there.
  if (before === "paused" && after === "paused") return { cause: "paused", detail: pausedDetail };
  if (before === "node_stopped") return { cause: "node_stopped", detail: "the edge was stopped" };
  return { cause: "node_down", detail: "the edge was not running, or its disk took nothing" };
}
