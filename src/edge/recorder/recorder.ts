import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import type { SegmentSink } from "./segment-sink.ts";

/** Whether the machine's wall clock can be believed now. */
export type ClockSync = () => "synced" | "unsynced";

export interface RecorderOptions {
  cameraId: string;
  nodeId: string;
  /** IANA zone that cuts and names follow. */
  timeZone: string;
  /** Divides 3600. */
  segmentSeconds: number;
  softwareVersion: string;
  sink: SegmentSink;
  clock: Clock;
  clockSync: ClockSync;
  logger: Logger;
}

export type RecorderState = "recording" | "paused" | "stopped" | "failing";

export interface RecorderStatus {
  state: RecorderState;
  /** Why the sink refused the last segment, while `failing`. */
  message: string | undefined;
  runId: string | undefined;
  /** Of the segment being written, or of the last one. */
  sequence: number | undefined;
  segmentStartMs: number | undefined;
  /** Of the segment being written. */
  segmentBytes: number;
  closedSegments: number;
  /** Fragments that reached the recorder while it was to record and that are in no segment. */
  lostFragments: number;
}

/** Cuts one camera's fragments into segments at the wall clock. A `CameraConsumer`; none of its calls rejects. */
export class Recorder {
  constructor(readonly options: RecorderOptions) {}

  /** Records from the next fragment on that a segment can start with. */
  start(): void {
    throw new Error("not implemented");
  }
  /** Closes the segment being written; resolves with its path, or undefined when there was none. */
  async stop(): Promise<string | undefined> {
    throw new Error("not implemented");
  }
  /** Closes the segment being written and records nothing until `resume`. */
  async pause(): Promise<void> {
    throw new Error("not implemented");
  }
  /** Goes on, with a new run id. */
  resume(): void {
    throw new Error("not implemented");
  }
  status(): RecorderStatus {
    throw new Error("not implemented");
  }

  async onRunStart(_init: InitSegment): Promise<void> {
    throw new Error("not implemented");
  }
  async onFragment(_fragment: Fragment, _arrival: { wallMs: number; monotonicMs: number }): Promise<void> {
    throw new Error("not implemented");
  }
  async onRunEnd(_reason: string): Promise<void> {
    throw new Error("not implemented");
  }
}
