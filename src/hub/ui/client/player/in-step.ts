import { planStep } from "./plan-step.ts";
import type { TimelineData } from "./timeline-data.ts";

/** A seek takes its time: what is off while it lasts says nothing. */
const settleMs = 800;
/** One that is off so soon after it was sent somewhere was on its way for too long. */
const missedMs = 8_000;
const longestMs = 5_000;

interface Leader {
  readonly atMs: number | undefined;
}

interface Stage extends Leader {
  readonly video: {
    readonly paused: boolean;
    readonly seeking: boolean;
    play(): Promise<void>;
    pause(): void;
  };
  show(atMs: number): void;
  setRate(rate: number): void;
}

export interface Follower {
  stage: Stage;
  data: Pick<TimelineData, "isRecordedAt" | "isOnEdgeAt">;
  /** Where its picture is; marked as away while there is none. */
  screen: {
    readonly classList: { contains(name: string): boolean; toggle(name: string, isOn: boolean): boolean };
  };
}

/** Keeps other cameras at the moment that one is at. */
export class InStep {
  readonly #leader: Leader;
  readonly #followers: readonly Follower[];
  readonly #soughtAt = new Map<Follower, number>();
  /** How long each was on its way to where it was sent last, as far as that is too long to catch up. */
  readonly #lateMs = new Map<Follower, number>();

  readonly #nowMs: () => number;

  /** `nowMs`: monotonic. */
  constructor(leader: Leader, followers: readonly Follower[], nowMs = () => performance.now()) {
    this.#leader = leader;
    this.#followers = followers;
    this.#nowMs = nowMs;
  }

  /** How far each is off, in ms; undefined where it has nothing to show. */
  get offsMs(): (number | undefined)[] {
    const atMs = this.#leader.atMs ?? 0;
    return this.#followers.map(({ stage, screen }) =>
      screen.classList.contains("away") || stage.atMs === undefined ? undefined : atMs - stage.atMs,
    );
  }

  /** To be called often. */
  keep(rate: number, isPlaying: boolean): void {
    const atMs = this.#leader.atMs;
    if (atMs === undefined) return;
    for (const follower of this.#followers) this.#keepOne(follower, atMs, rate, isPlaying);
  }

  #keepOne(follower: Follower, atMs: number, rate: number, isPlaying: boolean): void {
    const { stage, data, screen } = follower;
    const isThere = data.isRecordedAt(atMs) || data.isOnEdgeAt(atMs);
    screen.classList.toggle("away", !isThere);
    if (!isThere) {
      stage.video.pause();
      return;
    }
    const shown = stage.atMs;
    const isSettling = this.#nowMs() - (this.#soughtAt.get(follower) ?? Number.NEGATIVE_INFINITY) < settleMs;
    if (shown !== undefined && (isSettling || stage.video.seeking)) return;
    const step = shown === undefined ? ({ do: "seek" } as const) : planStep(atMs - shown, rate, isPlaying);
    if (step.do === "seek") {
      const sentMs = atMs + (isPlaying ? this.#leadMs(follower, atMs, rate) : 0);
      this.#soughtAt.set(follower, this.#nowMs());
      stage.show(data.isRecordedAt(sentMs) ? sentMs : atMs);
      // It goes on as fast as all: at 16 times as fast it would be far behind before it is looked at again.
      stage.setRate(rate);
    } else {
      stage.setRate(step.rate);
    }
    if (isPlaying && stage.video.paused) stage.video.play().catch(() => {});
    if (!isPlaying && !stage.video.paused) stage.video.pause();
  }

  /** So far before the others it is sent: where they all go on, it arrives when they do. */
  #leadMs(follower: Follower, atMs: number, rate: number): number {
    const { atMs: shown } = follower.stage;
    const sinceMs = this.#nowMs() - (this.#soughtAt.get(follower) ?? Number.NEGATIVE_INFINITY);
    const isMissed = shown !== undefined && sinceMs < missedMs;
    const lateMs = (this.#lateMs.get(follower) ?? 0) + (isMissed ? (atMs - shown) / rate : 0);
    this.#lateMs.set(follower, Math.min(longestMs, Math.max(0, lateMs)));
    return (this.#lateMs.get(follower) ?? 0) * rate;
  }
}
