import { cameraGauge, gauge, type Metric, ofCameras, secondsOf, stateSet } from "./metric.ts";

const cameraStates = ["starting", "recording", "paused", "stalled", "retrying", "stopped"];

/** Of each camera. */
export const cameraMetrics: readonly Metric[] = [
  {
    ...{
      name: "camera_state",
      type: "gauge",
      help: "1 for the state that the camera is in.",
      labels: ["camera_id", "state"],
    },
    samples: ({ cameras }) =>
      cameras.flatMap(({ camera_id, state }) => stateSet("state", cameraStates, state, { camera_id })),
  },
  gauge(
    "cameras_recording",
    "Cameras that record: active streams.",
    ({ cameras }) => cameras.filter(({ state }) => state === "recording").length,
  ),
  cameraGauge(
    "camera_fps",
    "Frames a second that the camera gives; left out while it gives none.",
    ({ fps }) => fps,
  ),
  cameraGauge(
    "camera_fps_asked",
    "Frames a second that it is asked for; left out where its stream is taken as it comes.",
    ({ fps_asked }) => fps_asked,
  ),
  cameraGauge("camera_bytes_per_second", "Bytes a second of its stream.", ({ bitrate_bps }) =>
    bitrate_bps === null ? null : bitrate_bps / 8,
  ),
  cameraGauge(
    "camera_last_fragment_timestamp_seconds",
    "When its newest picture came, seconds since 1970.",
    ({ last_fragment_at }) => secondsOf(last_fragment_at),
  ),
  cameraGauge(
    "camera_fallback",
    '1 while the "no signal" picture is recorded in its place.',
    ({ fallback_since }) => (fallback_since ?? null) !== null,
  ),
  cameraGauge(
    "camera_paused_since_timestamp_seconds",
    "Since when it is paused, seconds since 1970; left out while it is not.",
    ({ paused_since }) => secondsOf(paused_since ?? null),
  ),
  cameraGauge(
    "camera_failures_in_row",
    "Starts that failed since its newest picture.",
    ({ failures_in_row }) => failures_in_row,
  ),
  {
    ...{
      name: "camera_restarts_total",
      type: "counter",
      help: "Captures that ended without being asked to.",
      labels: ["camera_id"],
    },
    samples: (status) => ofCameras(status, ({ restarts }) => restarts),
  },
];
