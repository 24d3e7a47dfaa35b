import type { CameraStatus } from "../../src/common/protocol/node.ts";
import type { AlertFacts } from "../../src/edge/health/alert-rules.ts";
import { heartbeatRequest } from "./node-reports.ts";

type Camera = import("valibot").InferInput<typeof CameraStatus>;
type Loose<T> = { [K in keyof T]?: T[K] | undefined };

export interface FactChanges {
  system?: Loose<AlertFacts["system"]>;
  spool?: Loose<AlertFacts["spool"]>;
  uploads?: Loose<NonNullable<AlertFacts["uploads"]>> | undefined;
  cameras?: Camera[];
  configError?: string;
  displaced?: number;
}

/** A camera that records as it should, but for `more`. */
export function cameraStatus(more: Loose<Camera> = {}): Camera {
  return {
    ...{ camera_id: "cam01", state: "recording", message: null, width: 1280, height: 720, codec: "avc1" },
    ...{ fps: 30, fps_asked: 30, bitrate_bps: 2_000_000, run_started_at: null, restarts: 0 },
    ...{ last_fragment_at: "2025-09-23T05:59:59.000Z", failures_in_row: 0, spool_failing: false },
    ...more,
  } as Camera;
}

/** A node that is well, but for `changes`. */
export function alertFacts(changes: FactChanges, nowMs: number): AlertFacts {
  const { system, spool } = heartbeatRequest();
  return {
    system: {
      ...system,
      temperature_celsius: 55,
      clock: { state: "synced", source: "timedatectl", ahead_of_hub_ms: 3 },
      ...changes.system,
    },
    cameras: changes.cameras ?? [cameraStatus()],
    spool: { ...spool, pressure: "none", horizon_seconds: 500_000, ...changes.spool },
    uploads:
      "uploads" in changes && changes.uploads === undefined
        ? undefined
        : {
            ...{ state: "uploading", bytes_per_second: 1e6, eta_seconds: 1, last_error: null },
            ...{ failing_since: null, archive: "reachable", succeeded: 1, failed: 0 },
            ...changes.uploads,
          },
    configError: changes.configError,
    displaced: changes.displaced ?? 0,
    nowMs,
  } as AlertFacts;
}
