import * as v from "valibot";
import { CameraId, RunId, VideoId } from "../ids.ts";
import { ClockState } from "../segment-identity.ts";
import { NonNegativeInteger, PlainText, PositiveInteger, WireTime } from "./wire.ts";

/** What a node has and its hub has not yet: which segments, what is where in one, and its bytes. */

/** Of one answer each; a list and an index of that length fit into a message of the link. */
export const footageLimits = { segments: 400, fragments: 4_000, partBytes: 1024 * 1024 } as const;

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

export const SegmentIndexRequest = v.object({
  video_id: VideoId,
  /** Where the page begins; from 0. */
  first_fragment: v.optional(NonNegativeInteger),
});

/**
 * One fragment: its bytes, its ticks up to the next, and how it begins: with a keyframe before which none of its pictures
 * is shown (closed), with another keyframe (open), or with none.
 */
export const IndexedFragment = v.tuple([
  PositiveInteger,
  NonNegativeInteger,
  v.picklist(["closed", "open", "none"]),
]);
export type IndexedFragment = v.InferInput<typeof IndexedFragment>;

/** The file is the init segment and then the fragments, end to end. */
export const SegmentIndexPage = v.object({
  video_id: VideoId,
  camera_id: CameraId,
  /** Nothing will be added to it. */
  is_complete: v.boolean(),
  init_size_bytes: PositiveInteger,
  /** Ticks per second. */
  timescale: PositiveInteger,
  /** Presentation time of the first fragment of all, on the time line of the run. */
  start_ticks: NonNegativeInteger,
  /** Of all fragments there are. */
  fragment_count: NonNegativeInteger,
  fragments: v.pipe(v.array(IndexedFragment), v.maxLength(footageLimits.fragments)),
});
export type SegmentIndexPage = v.InferInput<typeof SegmentIndexPage>;

/** Bytes [start, end) of a segment's file. */
export const SegmentPartRequest = v.pipe(
  v.object({ video_id: VideoId, start: NonNegativeInteger, end: PositiveInteger }),
  v.check(({ start, end }) => start < end, "a range with bytes in it"),
  v.check(
    ({ start, end }) => end - start <= footageLimits.partBytes,
    `at most ${footageLimits.partBytes} bytes`,
  ),
);
