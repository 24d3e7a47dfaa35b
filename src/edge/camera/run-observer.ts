import type { Clock } from "../../common/clock.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import type { Arrival, CameraConsumer } from "./camera-consumer.ts";
import type { CameraWatcher } from "./camera-watcher.ts";
import { FragmentMeter } from "./fragment-meter.ts";

export type CaptureState = "starting" | "running" | "stalled" | "retrying" | "stopped";

export interface CaptureStatus {
  state: CaptureState;
  /** Why it is not running, or the last thing that went wrong. */
  message: string | undefined;
  /** Of the newest run. */
  width: number | undefined;
  height: number | undefined;
  /** RFC 6381, video and audio joined by a comma. */
  codec: string | undefined;
  /** Over the last fragments. */
  fps: number | undefined;
  bitrateBps: number | undefined;
  lastFragmentAtMs: number | undefined;
  runStartedAtMs: number | undefined;
  /** Captures that ended without being asked to, since start. */
  restarts: number;
  /** Of them, those since the last fragment. */
  failuresInRow: number;
}

/** Stands between the captures of a camera and its consumer, and knows how they are doing. */
export class RunObserver implements CameraConsumer {
  readonly #consumer: CameraConsumer;
  readonly #clock: Clock;
  #state: CaptureState = "stopped";
  #message: string | undefined;
  #init: InitSegment | undefined;
  #meter = new FragmentMeter();
  #lastFragmentAtMs: number | undefined;
  #runStartedAtMs: number | undefined;
  #restarts = 0;
  #failuresInRow = 0;
  /** The only fragment that is kept; `isOurs` once its bytes are a copy. */
  #newest: { init: InitSegment; fragment: Fragment; isOurs: boolean } | undefined;
  readonly #watchers = new Set<CameraWatcher>();

  constructor(consumer: CameraConsumer, clock: Clock) {
    this.#consumer = consumer;
    this.#clock = clock;
  }

  /** The newest fragment that starts with a keyframe. */
  get newest(): { init: InitSegment; fragment: Fragment } | undefined {
    return this.#newest;
  }

  /** Until the returned function is called. It begins with the last fragment, where that can be shown by itself. */
  watch(watcher: CameraWatcher): () => void {
    this.#watchers.add(watcher);
    if (this.#state === "stopped") watcher.onStopped();
    else if (this.#init) this.#show(this.#init, watcher);
    return () => this.#watchers.delete(watcher);
  }

  #show(init: InitSegment, watcher: CameraWatcher): void {
    watcher.onInit(init);
    const newest = this.#newest;
    // What follows one that is kept as a copy has gone by already.
    const isWhole = newest && newest.init === init && !newest.isOurs;
    if (isWhole && this.#state === "running") watcher.onFragment(newest.fragment);
  }

  async onRunStart(init: InitSegment): Promise<void> {
    this.#init = init;
    this.#meter = new FragmentMeter();
    this.#runStartedAtMs = this.#clock.wallMs();
    for (const watcher of this.#watchers) watcher.onInit(init);
    await this.#consumer.onRunStart(init);
  }

  async onFragment(fragment: Fragment, arrival: Arrival): Promise<void> {
    const init = this.#init;
    if (!init) return;
    this.#state = "running";
    this.#failuresInRow = 0;
    this.#lastFragmentAtMs = arrival.wallMs;
    this.#meter.add(fragment, init, arrival.monotonicMs);
    if (fragment.startsWithKeyframe) this.#newest = { init, fragment, isOurs: false };
    else this.#keepNewest();
    for (const watcher of this.#watchers) watcher.onFragment(fragment);
    await this.#consumer.onFragment(fragment, arrival);
  }

  /** Its bytes stay as they are while the fragment after it is here, and no longer. */
  #keepNewest(): void {
    if (!this.#newest || this.#newest.isOurs) return;
    const { init, fragment } = this.#newest;
    this.#newest = { init, fragment: { ...fragment, bytes: fragment.bytes.slice() }, isOurs: true };
  }

  async onRunEnd(reason: string): Promise<void> {
    await this.#consumer.onRunEnd(reason);
  }

  starting(): void {
    this.#state = "starting";
  }

  stalled(message: string): void {
    this.#state = "stalled";
    this.#message = message;
  }

  failed(message: string): void {
    this.#state = "retrying";
    this.#message = message;
    this.#restarts++;
    this.#failuresInRow++;
  }

  /** What it has shown is forgotten. Repeatable. */
  stopped(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#newest = undefined;
    for (const watcher of this.#watchers) watcher.onStopped();
  }

  isHealthy(): boolean {
    return this.#state === "running" && this.#meter.isSteady(this.#clock.monotonicMs());
  }

  status(): CaptureStatus {
    const isRunning = this.#state === "running";
    return {
      state: this.#state,
      message: this.#message,
      width: this.#init?.video.width,
      height: this.#init?.video.height,
      codec: this.#init?.tracks.map(({ codec }) => codec).join(","),
      fps: isRunning ? this.#meter.fps : undefined,
      bitrateBps: isRunning ? this.#meter.bitrateBps : undefined,
      lastFragmentAtMs: this.#lastFragmentAtMs,
      runStartedAtMs: this.#runStartedAtMs,
      restarts: this.#restarts,
      failuresInRow: this.#failuresInRow,
    };
  }
}
