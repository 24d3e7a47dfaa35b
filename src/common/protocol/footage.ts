import * as v from "valibot";
import { CameraId, RunId, VideoId } from "../ids.ts";
import { ClockState } from "../segment-identity.ts";
import { NonNegativeInteger, PlainText, PositiveInteger, WireTime } from "./wire.ts";

/** What a node has and its hub has not yet. */

/** Of one answer each; a list of that length fits into a message of the link. */
export const footageLimits = { segments: 400 } as const;

export const NodeSegment = v.object({
  video_id: VideoId,
  camera_id: CameraId,
  run_id: RunId,
  /** Position in the run, from 0. */
  sequence: NonNegativeInteger,
  start_time: WireTime,
  /** Of what is written, where it is still being recorded. */
  end_time: WireTime,
  size_bytes: PositiveInteger,
  codec: PlainText(64),
  width: PositiveInteger,
  height: PositiveInteger,
  clock_state: ClockState,
  /** No footage, but the picture that says so. */
  mock: v.optional(v.literal(true)),
  /** `archived`: on its way no more, but the hub has not acknowledged it. */
  state: v.picklist(["recording", "waiting", "uploading", "archived"]),
  /** 0 to 1, of the upload. */
  progress: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
});
export type NodeSegment = v.InferInput<typeof NodeSegment>;

/** Segments that overlap [from, to), by id; those left out ask for everything. */
export const SegmentListRequest = v.object({
  camera_id: v.optional(CameraId),
  from: v.optional(WireTime),
  to: v.optional(WireTime),
  /** The last id of the page before. */
  after: v.optional(VideoId),
  limit: v.optional(v.pipe(PositiveInteger, v.maxValue(footageLimits.segments))),
});

export const SegmentList = v.object({
  segments: v.pipe(v.array(NodeSegment), v.maxLength(footageLimits.segments)),
  /** There are others behind the last. */
  has_more: v.boolean(),
});
export type SegmentList = v.InferInput<typeof SegmentList>;
