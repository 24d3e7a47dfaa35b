import type { CameraOverview } from "../nodes/node-service.ts";
import type { Tone } from "./badge.tsx";

export const cameraTones: Readonly<Record<CameraOverview["state"], Tone>> = {
  starting: "busy",
  recording: "good",
  paused: "quiet",
  stalled: "bad",
  retrying: "warn",
  stopped: "quiet",
  unknown: "bad",
};
