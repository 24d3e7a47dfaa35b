import type { Secret } from "../../common/secret.ts";
import type { SourceConfig } from "../config.ts";
import type { CapturePlan, CaptureSettings } from "./camera-source.ts";
import type { PiModel } from "./pi-model.ts";

/** Looks at the source where that needs looking at (codec, audio), and says what to run. Called before each run. */
export type CapturePlanner = (settings: CaptureSettings, signal: AbortSignal) => Promise<CapturePlan>;

export interface CapturePlannerOptions {
  cameraId: string;
  source: SourceConfig;
  /** `user:password` of an RTSP camera, read from where the config says it is. */
  credentials?: Secret;
  piModel: PiModel;
}

/** Throws `invalid_config` at once for settings that cannot work; the planner rejects with `unavailable` or `timeout`. */
export function createCapturePlanner(_options: CapturePlannerOptions): CapturePlanner {
  throw new Error("not implemented");
}
