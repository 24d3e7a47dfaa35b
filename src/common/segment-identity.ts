import * as v from "valibot";
import { CameraId, NodeId, RunId, Sha256Hex, VideoId } from "./ids.ts";
import {
  formatWireTime,
  NonNegativeInteger,
  PlainText,
  PositiveInteger,
  TimeZone,
  WireTime,
} from "./protocol/wire.ts";

/** Whether the wall time of a segment can be believed. `corrected`: recorded before the clock was set, re-dated since. */
export const ClockState = v.picklist(["synced", "unsynced", "corrected"]);
export type ClockState = v.InferOutput<typeof ClockState>;

/** Duration is media time: it may differ from `end_time - start_time` by the run clock's slewing. */
const entries = {
  format_version: v.literal(1),
  video_id: VideoId,
  camera_id: CameraId,
  node_id: NodeId,
  run_id: RunId,
  /** Position in the run, from 0. */
  sequence: NonNegativeInteger,
  start_time: WireTime,
  end_time: WireTime,
  /** Zone of the file's name and day folder. */
  time_zone: TimeZone,
  duration_ms: NonNegativeInteger,
  /** RFC 6381, `avc1.64001f` or `hvc1.1.6.L93.B0`; video and audio joined by a comma. */
  codec: PlainText(64),
  width: PositiveInteger,
  height: PositiveInteger,
  /** Average over the segment, frames per second. */
  fps: v.pipe(v.number(), v.minValue(0), v.maxValue(1000)),
  recorded_sha256: Sha256Hex,
  clock_state: ClockState,
  software_version: PlainText(64),
  /** No footage: the picture that was recorded while the camera gave none. Absent from every other segment. */
  mock: v.optional(v.literal(true)),
} as const;

/** The JSON of the `uuid` box in every archived file; see docs/file-format.md. Unknown fields of newer versions are kept out. */
export const SegmentIdentityJson = v.object(entries);
export type SegmentIdentityJson = v.InferInput<typeof SegmentIdentityJson>;

/** Who a segment is and when it was; times in ms since 1970 UTC. */
export interface SegmentIdentity {
  videoId: string;
  cameraId: string;
  nodeId: string;
  runId: string;
  sequence: number;
  startTimeMs: number;
  endTimeMs: number;
  timeZone: string;
  durationMs: number;
  codec: string;
  width: number;
  height: number;
  fps: number;
  recordedSha256: string;
  clockState: ClockState;
  softwareVersion: string;
  /** No footage, but the picture that says so. */
  isMock?: true | undefined;
}

export function formatSegmentIdentity(identity: SegmentIdentity): SegmentIdentityJson {
  return {
    format_version: 1,
    video_id: identity.videoId,
    camera_id: identity.cameraId,
    node_id: identity.nodeId,
    run_id: identity.runId,
    sequence: identity.sequence,
    start_time: formatWireTime(identity.startTimeMs),
    end_time: formatWireTime(identity.endTimeMs),
    time_zone: identity.timeZone,
    duration_ms: identity.durationMs,
    codec: identity.codec,
    width: identity.width,
    height: identity.height,
    fps: identity.fps,
    recorded_sha256: identity.recordedSha256,
    clock_state: identity.clockState,
    software_version: identity.softwareVersion,
    ...(identity.isMock && { mock: true as const }),
  };
}

/** Inverse of {@link formatSegmentIdentity}; throws `ValiError` on anything else. */
export function parseSegmentIdentity(json: unknown): SegmentIdentity {
  return identityOf(v.parse(SegmentIdentityJson, json));
}

/** For schemas that contain the identity's entries (announce). */
export function identityOf(json: v.InferOutput<typeof SegmentIdentityJson>): SegmentIdentity {
  return {
    videoId: json.video_id,
    cameraId: json.camera_id,
    nodeId: json.node_id,
    runId: json.run_id,
    sequence: json.sequence,
    startTimeMs: json.start_time,
    endTimeMs: json.end_time,
    timeZone: json.time_zone,
    durationMs: json.duration_ms,
    codec: json.codec,
    width: json.width,
    height: json.height,
    fps: json.fps,
    recordedSha256: json.recorded_sha256,
    clockState: json.clock_state,
    softwareVersion: json.software_version,
    ...(json.mock && { isMock: json.mock }),
  };
}
