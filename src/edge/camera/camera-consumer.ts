import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

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
  /** `isMock`: what follows is no footage, but a picture in its place. */
  onRunStart(init: InitSegment, about?: { isMock: boolean }): void | Promise<void>;
  /** The bytes stay as they are until the call for the next fragment has resolved; who keeps them longer copies them. */
  onFragment(fragment: Fragment, arrival: Arrival): void | Promise<void>;
  /** `reason` in plain words: `stopped`, `no fragment for 15 s`, `ffmpeg exited with 1: …`. */
  onRunEnd(reason: string): void | Promise<void>;
}
