import type { CameraState, HeartbeatRequest } from "../../common/protocol/node.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import { plainLine } from "./plain-line.ts";
import type { CaptureStatus } from "./run-observer.ts";

/** What the status of a camera takes from whoever records it. */
export interface RecordingState {
  state: "recording" | "paused" | "stopped" | "failing";
  message: string | undefined;
}

type WireCameraStatus = HeartbeatRequest["cameras"][number];

/** The status of a camera as heartbeats carry it. */
export function cameraStatusOf(
  cameraId: string,
  capture: CaptureStatus,
  recording: RecordingState,
): WireCameraStatus {
  return {
    camera_id: cameraId,
    state: stateOf(capture, recording),
    message: messageOf(capture, recording),
    width: capture.width ?? null,
    height: capture.height ?? null,
    codec: capture.codec ?? null,
    fps: capture.fps ?? null,
    bitrate_bps: capture.bitrateBps ?? null,
    last_fragment_at: wireTime(capture.lastFragmentAtMs),
    run_started_at: wireTime(capture.runStartedAtMs),
    restarts: capture.restarts,
  };
}

function stateOf(capture: CaptureStatus, recording: RecordingState): CameraState {
  if (capture.state !== "running") return capture.state;
  return recording.state === "failing" ? "retrying" : recording.state;
}

function messageOf(capture: CaptureStatus, recording: RecordingState): string | null {
  const message = recording.state === "failing" ? recording.message : capture.message;
  return message === undefined ? null : plainLine(message);
}

function wireTime(ms: number | undefined): string | null {
  return ms === undefined ? null : formatWireTime(ms);
}
