import type { SegmentIndex } from "../../common/mp4/segment-index.ts";
import type { ClockState, SegmentIdentity } from "../../common/segment-identity.ts";

/** What is known of a segment when its first fragment arrives. */
export type SegmentStart = Pick<
  SegmentIdentity,
  | "videoId"
  | "cameraId"
  | "nodeId"
  | "runId"
  | "sequence"
  | "startTimeMs"
  | "timeZone"
  | "codec"
  | "width"
  | "height"
  | "clockState"
  | "softwareVersion"
  | "isMock"
> & {
  /** Wall minus monotonic time, by which it is dated. */
  wallOffsetMs?: number;
};

/** What only its end tells. The sink adds the hash and the size, which it computes while it writes. */
export interface SegmentEnd {
  endTimeMs: number;
  durationMs: number;
  fps: number;
  clockState: ClockState;
  /** Why it ended: `boundary`, or the end reason of the run. */
  endReason: string;
  /** Of all that was appended; the upload makes one where there is none. */
  index?: SegmentIndex | undefined;
}

/** Where the recorder puts segments; the spool implements it. Calls for one segment come strictly in order. */
export interface SegmentSink {
  /** Creates the segment and writes the init segment. */
  open(start: SegmentStart, initSegment: Uint8Array): Promise<OpenSegment>;
}

export interface OpenSegment {
  readonly videoId: string;
  /** Bytes written so far, init segment included. */
  readonly sizeBytes: number;
  /**
   * Appends one fragment, whole. Rejects with `io` when the disk refuses it; the segment is then closed with
   * what it has. The bytes are the caller's again once it has resolved. `endTimeMs`: where the segment ends with it.
   */
  append(fragment: Uint8Array, endTimeMs?: number): Promise<void>;
  /** Makes the segment durable and immutable; returns the path of its video file in the spool. */
  close(end: SegmentEnd): Promise<string>;
}
