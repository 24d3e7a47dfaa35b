import type { EdgeStatus } from "../../../common/protocol/control.ts";

/** One value of a metric; undefined: nobody can tell now, so it is left out. */
export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number | undefined;
}

export interface Metric {
  /** After `livecam_edge_`. */
  name: string;
  /** A counter only grows until the process starts anew. */
  type: "gauge" | "counter";
  help: string;
  labels?: readonly string[];
  samples: (status: EdgeStatus, nowMs: number) => readonly Sample[];
}

type Value = number | boolean | null | undefined;
type Camera = EdgeStatus["cameras"][number];

/** One value, of the whole node. */
export function gauge(
  name: string,
  help: string,
  value: (status: EdgeStatus, nowMs: number) => Value,
): Metric {
  return {
    name,
    type: "gauge",
    help,
    samples: (status, nowMs) => [{ value: numberOf(value(status, nowMs)) }],
  };
}

/** One count, of the whole node. */
export function counter(name: string, help: string, value: (status: EdgeStatus) => Value): Metric {
  return { name, type: "counter", help, samples: (status) => [{ value: numberOf(value(status)) }] };
}

/** One value per camera. */
export function cameraGauge(name: string, help: string, value: (camera: Camera) => Value): Metric {
  return { name, type: "gauge", help, labels: ["camera_id"], samples: (status) => ofCameras(status, value) };
}

export function ofCameras({ cameras }: EdgeStatus, value: (camera: Camera) => Value): Sample[] {
  return cameras.map((camera) => ({
    labels: { camera_id: camera.camera_id },
    value: numberOf(value(camera)),
  }));
}

/** One series per known word, 1 for the one that it is: what Prometheus calls a state set. */
export function stateSet(
  label: string,
  words: readonly string[],
  is: string,
  labels: Readonly<Record<string, string>> = {},
): Sample[] {
  return words.map((word) => ({ labels: { ...labels, [label]: word }, value: Number(word === is) }));
}

export function inSeconds(ms: number | null | undefined): number | undefined {
  return ms === null || ms === undefined ? undefined : ms / 1000;
}

/** Seconds since 1970 of a time on the wire. */
export function secondsOf(time: string | null | undefined): number | undefined {
  return time === null || time === undefined ? undefined : Date.parse(time) / 1000;
}

function numberOf(value: Value): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
