import type { CameraStage } from "./camera-stage.ts";
import { planStep } from "./plan-step.ts";
import type { TimelineData } from "./timeline-data.ts";

/** A seek takes its time: what is off while it lasts says nothing. */
const settleMs = 800;

export interface Follower {
  stage: CameraStage;
  data: TimelineData;
  /** Where its picture is; marked as away while there is none. */
  screen: HTMLElement;
}

/** Keeps other cameras at the moment that one is at. */
export class InStep {
  readonly #leader: CameraStage;
  readonly #followers: readonly Follower[];
  readonly #soughtAt = new Map<Follower, number>();

  constructor(leader: CameraStage, followers: readonly Follower[]) {
    this.#leader = leader;
    this.#followers = followers;
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
    const isSettling = performance.now() - (this.#soughtAt.get(follower) ?? 0) < settleMs;
    if (shown !== undefined && (isSettling || stage.video.seeking)) return;
    const step = shown === undefined ? ({ do: "seek" } as const) : planStep(atMs - shown, rate, isPlaying);
    if (step.do === "seek") {
      this.#soughtAt.set(follower, performance.now());
      stage.show(atMs);
    } else {
      stage.setRate(step.rate);
    }
    if (isPlaying && stage.video.paused) stage.video.play().catch(() => {});
    if (!isPlaying && !stage.video.paused) stage.video.pause();
  }
}
