import { Hono } from "hono";
import * as v from "valibot";
import { CameraId } from "../../common/ids.ts";
import { formatWireTime, WireTime } from "../../common/protocol/wire.ts";
import { ClockState } from "../../common/segment-identity.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { validParam, validQuery } from "../http/validate.ts";
import { type EdgeFootage, type EdgeVideo, edgeVideoStatuses } from "./edge-footage.ts";
import { edgeStreamUrlOf } from "./edge-stream-url.ts";

const time = v.pipe(v.string(), v.isoTimestamp());

export const EdgeVideoJson = v.pipe(
  v.object({
    video_id: v.pipe(v.string(), v.uuid(), v.description("The one it keeps when it is archived.")),
    camera_id: v.string(),
    node_id: v.string(),
    start_time: time,
    end_time: v.pipe(time, v.description("Of what is written, while it is being recorded.")),
    duration: v.pipe(v.number(), v.description("Seconds.")),
    file_size: v.pipe(v.number(), v.integer(), v.description("Bytes on the node.")),
    resolution: v.object({ width: v.number(), height: v.number() }),
    codec: v.pipe(v.string(), v.description("RFC 6381.")),
    run_id: v.string(),
    sequence: v.pipe(v.number(), v.integer()),
    clock_state: ClockState,
    mock: v.boolean(),
    status: v.pipe(
      v.picklist(edgeVideoStatuses),
      v.description("`recording`: it still grows. `on_edge`: it waits. `uploading`: it is on its way."),
    ),
    progress: v.pipe(v.number(), v.description("Of the upload, 0 to 1.")),
    stream_url: v.pipe(
      v.string(),
      v.description("Path on this hub; fragmented MP4, with byte ranges, also once it is archived."),
    ),
  }),
  v.metadata({ ref: "EdgeVideo" }),
);

const OnEdgeJson = v.object({
  videos: v.array(EdgeVideoJson),
  as_of: v.pipe(
    v.nullable(time),
    v.description("When the node told it; null while it is not linked, or does not answer."),
  ),
  truncated: v.pipe(v.boolean(), v.description("There are more; ask for a shorter range.")),
});

const OnEdgeParameters = v.pipe(
  v.strictObject({
    from: v.pipe(WireTime, v.description("RFC 3339.")),
    to: v.pipe(WireTime, v.description("RFC 3339, after `from`.")),
  }),
  v.forward(
    v.check(({ from, to }) => from < to, "a time after `from`"),
    ["to"],
  ),
);

/** What is on a camera's node and not in the archive yet. */
export function createOnEdgeRoutes({ footage }: { footage: EdgeFootage }) {
  return new Hono<AppEnv>().get(
    "/api/cameras/:id/on-edge",
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "What is still on the camera's node",
      description:
        "Videos that overlap the range and are not archived yet, by start: asked of the node itself, within a second. " +
        "Lists and searches of videos do not have them; once they are archived and announced, these do, under the same id.",
      answer: OnEdgeJson,
      problems: [400, 404],
    }),
    validParam(v.object({ id: CameraId })),
    validQuery(OnEdgeParameters),
    async (c) => {
      const { from: fromMs, to: toMs } = c.req.valid("query");
      const { videos, asOfMs, isCut } = await footage.list(c.req.valid("param").id, { fromMs, toMs });
      return c.json({
        videos: videos.map(formatEdgeVideo),
        as_of: asOfMs === undefined ? null : formatWireTime(asOfMs),
        truncated: isCut,
      });
    },
  );
}

function formatEdgeVideo(video: EdgeVideo): v.InferOutput<typeof EdgeVideoJson> {
  return {
    video_id: video.videoId,
    camera_id: video.cameraId,
    node_id: video.nodeId,
    start_time: formatWireTime(video.startTimeMs),
    end_time: formatWireTime(video.endTimeMs),
    duration: (video.endTimeMs - video.startTimeMs) / 1000,
    file_size: video.sizeBytes,
    resolution: { width: video.width, height: video.height },
    codec: video.codec,
    run_id: video.runId,
    sequence: video.sequence,
    clock_state: video.clockState,
    mock: video.isMock,
    status: video.status,
    progress: video.progress,
    stream_url: edgeStreamUrlOf(video),
  };
}
