import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { SegmentList } from "../../common/protocol/footage.ts";
import type { EdgeVideo, EdgeVideoStatus } from "./edge-footage.ts";

type ToldSegment = v.InferOutput<typeof SegmentList>["segments"][number];

const statusOf: Record<ToldSegment["state"], EdgeVideoStatus> = {
  recording: "recording",
  waiting: "on_edge",
  uploading: "uploading",
  // The hub is about to hear of it.
  archived: "uploading",
};

/** No node records longer ones; with room for a clock that is slewed. */
const longestMs = 2 * 3_600_000;

/** One page of what a node has of a camera. Throws `unavailable` for an answer that cannot be: another camera's, out of order. */
export function parseSegmentPage(
  answer: unknown,
  asked: { nodeId: string; cameraId: string; after: string | undefined },
): { videos: EdgeVideo[]; archived: string[]; hasMore: boolean } {
  const { nodeId, cameraId } = asked;
  const parsed = v.safeParse(SegmentList, answer);
  const refuse = (what: string) =>
    new AppError("unavailable", `node ${nodeId} answers in another way than it should: ${what}`);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw refuse(`${v.getDotPath(issue) ?? "the list"}: ${issue.message}`);
  }
  const { segments, has_more: hasMore } = parsed.output;
  let last = asked.after ?? "";
  for (const segment of segments) {
    if (segment.camera_id !== cameraId) throw refuse(`a segment of ${segment.camera_id}`);
    if (segment.video_id <= last) throw refuse("segments that are not in order");
    const lengthMs = segment.end_time - segment.start_time;
    if (lengthMs <= 0 || lengthMs > longestMs) throw refuse("a segment whose times cannot be");
    last = segment.video_id;
  }
  if (hasMore && segments.length === 0) throw refuse("a page without segments that is not the last");
  return {
    videos: segments.map((segment) => videoOf(segment, nodeId)),
    archived: segments.filter(({ state }) => state === "archived").map(({ video_id }) => video_id),
    hasMore,
  };
}

function videoOf(segment: ToldSegment, nodeId: string): EdgeVideo {
  return {
    videoId: segment.video_id,
    cameraId: segment.camera_id,
    nodeId,
    runId: segment.run_id,
    sequence: segment.sequence,
    startTimeMs: segment.start_time,
    endTimeMs: segment.end_time,
    sizeBytes: segment.size_bytes,
    codec: segment.codec,
    width: segment.width,
    height: segment.height,
    clockState: segment.clock_state,
    isMock: segment.mock === true,
    status: statusOf[segment.state],
    progress: segment.progress,
  };
}
