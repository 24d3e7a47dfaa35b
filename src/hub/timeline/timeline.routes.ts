import { Hono } from "hono";
import * as v from "valibot";
import { CameraId } from "../../common/ids.ts";
import { GapCause } from "../../common/protocol/gap.ts";
import { formatWireTime, WireTime } from "../../common/protocol/wire.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { validParam, validQuery } from "../http/validate.ts";
import type { CameraTimeline, CameraTimelines } from "./camera-timeline.ts";
import type { Span } from "./plan-timeline.ts";

const time = v.pipe(v.string(), v.isoTimestamp());
const SpanJson = v.object({ from_time: time, to_time: time });

const TimelineJson = v.pipe(
  v.object({
    camera_id: v.string(),
    from_time: time,
    to_time: v.pipe(
      time,
      v.description(
        "Where this answer ends: `to`, or earlier where there is too much. The rest begins here.",
      ),
    ),
    recorded: v.pipe(v.array(SpanJson), v.description("What can be played; neighbours are one.")),
    mock: v.pipe(v.array(SpanJson), v.description('Where the "no signal" picture was recorded.')),
    gaps: v.pipe(
      v.array(
        v.object({ ...SpanJson.entries, cause: v.picklist([...GapCause.options, "missing", "deleted"]) }),
      ),
      v.description("They may lie over each other; where footage came after all there is none."),
    ),
    videos: v.pipe(
      v.nullable(
        v.array(
          v.object({
            video_id: v.string(),
            start_time: time,
            end_time: time,
            fps: v.number(),
            codec: v.string(),
          }),
        ),
      ),
      v.description("Those that can be played, by start; null for a range of more than two days."),
    ),
  }),
  v.metadata({ ref: "Timeline" }),
);

const TimelineParameters = v.strictObject({
  from: v.pipe(WireTime, v.description("RFC 3339.")),
  to: v.pipe(WireTime, v.description("RFC 3339, at most 31 days later.")),
});

/** What a camera has of a time and what not, as a page draws it. */
export function createTimelineRoutes({ timelines }: { timelines: CameraTimelines }) {
  return new Hono<AppEnv>().get(
    "/api/cameras/:id/timeline",
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "What is there of a time, and what is not",
      description:
        "Recorded stretches, gaps with their causes, and the videos of shorter ranges. What is still on the camera's " +
        "node is asked for at /api/cameras/{id}/on-edge.",
      answer: TimelineJson,
      problems: [400, 404],
    }),
    validParam(v.object({ id: CameraId })),
    validQuery(TimelineParameters),
    async (c) => {
      const { from: fromMs, to: toMs } = c.req.valid("query");
      const cameraId = c.req.valid("param").id;
      return c.json(formatTimeline(cameraId, await timelines.timelineOf(cameraId, { fromMs, toMs })));
    },
  );
}

function formatTimeline(cameraId: string, timeline: CameraTimeline): v.InferOutput<typeof TimelineJson> {
  return {
    camera_id: cameraId,
    ...formatSpan(timeline),
    recorded: timeline.recorded.map(formatSpan),
    mock: timeline.mock.map(formatSpan),
    gaps: timeline.gaps.map((gap) => ({ ...formatSpan(gap), cause: gap.cause })),
    videos:
      timeline.videos?.map(({ videoId, startTimeMs, endTimeMs, fps, codec }) => ({
        video_id: videoId,
        start_time: formatWireTime(startTimeMs),
        end_time: formatWireTime(endTimeMs),
        fps,
        codec,
      })) ?? null,
  };
}

function formatSpan({ fromMs, toMs }: Span) {
  return { from_time: formatWireTime(fromMs), to_time: formatWireTime(toMs) };
}
