import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import type { CaptureSettings } from "./camera-source.ts";
import type { CapturePlanner } from "./capture-planner.ts";

/** When the last byte of a fragment had come. */
export interface Arrival {
  wallMs: number;
  monotonicMs: number;
}

/**
 * What a camera gives. Calls come strictly in order, each after the promise of the one before has resolved:
 * `onRunStart (onFragment)* onRunEnd`, and so on. A slow consumer holds back the capture, never memory.
 */
export interface CameraConsumer {
  onRunStart(init: InitSegment): void | Promise<void>;
  onFragment(fragment: Fragment, arrival: Arrival): void | Promise<void>;
  /** `reason` in plain words: `stopped`, `no fragment for 15 s`, `ffmpeg exited with 1: …`. */
  onRunEnd(reason: string): void | Promise<void>;
}

export interface CameraOptions {
  cameraId: string;
  planner: CapturePlanner;
  consumer: CameraConsumer;
  clock: Clock;
  logger: Logger;
  /** No fragment for so long means stalled. */
  stallMs: number;
  /** Grace for the first fragment of a run; default the larger of 30 s and twice `stallMs`. */
  startMs?: number;
  settings?: CaptureSettings;
}

export type CaptureState = "starting" | "running" | "stalled" | "retrying" | "stopped";

export interface CaptureStatus {
  state: CaptureState;
  /** Why it is not running, or the last thing that went wrong. */
  message: string | undefined;
  /** Of the newest run. */
  width: number | undefined;
  height: number | undefined;
  codec: string | undefined;
  /** Over the last fragments. */
  fps: number | undefined;
  bitrateBps: number | undefined;
  lastFragmentAtMs: number | undefined;
  runStartedAtMs: number | undefined;
  /** Captures that ended without being asked to, since start. */
  restarts: number;
}

/** Supervises the capture of one camera: starts it, watches its fragments, starts it again. */
export class Camera {
  constructor(readonly options: CameraOptions) {}

  /** Begins capturing; returns at once. Calling it again changes nothing. */
  start(): void {
    throw new Error("not implemented");
  }

  /** Ends the capture cleanly: the last fragment and `onRunEnd` have been delivered when it resolves. Never rejects. */
  async stop(): Promise<void> {
    throw new Error("not implemented");
  }

  /** Restarts the capture with other settings; what is not named stays. The consumer sees a new run. */
  async configure(_settings: CaptureSettings): Promise<void> {
    throw new Error("not implemented");
  }

  /** JPEG of the newest keyframe. Throws `unavailable` when there is none yet. */
  async snapshot(_signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    throw new Error("not implemented");
  }

  /** Whether fragments keep arriving at about the expected rate. */
  isHealthy(): boolean {
    throw new Error("not implemented");
  }

  status(): CaptureStatus {
    throw new Error("not implemented");
  }
}
