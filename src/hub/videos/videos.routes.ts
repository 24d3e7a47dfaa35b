import { Hono } from "hono";
import type { VideoQuery } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { type CursorCodec, conditionsOf } from "../http/cursor.ts";
import { describe } from "../http/describe.ts";
import { validJson, validParam, validQuery } from "../http/validate.ts";
import { formatVideo, VideoJson, VideoPageJson } from "./video-json.ts";
import { VideoListParameters, VideoParameters, VideoSearchRequest } from "./video-queries.ts";
import type { VideoPage, VideoService } from "./video-service.ts";

const maxSearchBytes = 64 * 1024;

export function createVideoRoutes(options: { videos: VideoService; cursors: CursorCodec }) {
  const { videos, cursors } = options;

  const formatPage = ({ videos: found, next }: VideoPage, conditions: string) => ({
    videos: found.map(formatVideo),
    next_cursor: next === undefined ? null : cursors.encode(next, conditions),
  });

  return new Hono<AppEnv>()
    .get(
      "/api/videos",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "List videos",
        description: "By camera, time and status. A video belongs to a range when any part of it does.",
        answer: VideoPageJson,
        problems: [400],
      }),
      validQuery(VideoListParameters),
      async (c) => {
        const parameters = c.req.valid("query");
        const conditions = conditionsOf(parameters);
        const { cursor } = parameters;
        const query = {
          ...defined({
            cameraIds: parameters.camera_id,
            fromMs: parameters.from,
            toMs: parameters.to,
            statuses: parameters.status,
            after: cursor === undefined ? undefined : cursors.decode(cursor, conditions),
          }),
          order: parameters.order,
          limit: parameters.limit,
        };
        return c.json(formatPage(await videos.list(query), conditions));
      },
    )
    .post(
      "/api/videos/search",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "Search videos",
        description: "All conditions must hold; those left out ask for nothing. Unknown fields are refused.",
        answer: VideoPageJson,
        problems: [400, 413, 415, 503],
      }),
      validJson(VideoSearchRequest, { maxBytes: maxSearchBytes }),
      async (c) => {
        const request = c.req.valid("json");
        const conditions = conditionsOf(request);
        const query = queryOf(request, cursors, conditions);
        return c.json(formatPage(await videos.search(query, c.req.raw.signal), conditions));
      },
    )
    .get(
      "/api/videos/:id",
      allow("read"),
      describe({ tag: "Videos", summary: "One video", answer: VideoJson, problems: [400, 404] }),
      validParam(VideoParameters),
      async (c) => c.json(formatVideo(await videos.find(c.req.valid("param").id))),
    );
}

function queryOf(request: VideoSearchRequest, cursors: CursorCodec, conditions: string): VideoQuery {
  const toMs = (seconds: number | undefined) =>
    seconds === undefined ? undefined : Math.round(seconds * 1000);
  const { time_of_day: timeOfDay } = request;
  return {
    ...defined({
      cameraIds: request.camera_ids,
      fromMs: request.from,
      toMs: request.to,
      weekdays: request.weekdays,
      timeOfDay: timeOfDay && { fromMinute: timeOfDay.from, toMinute: timeOfDay.to },
      minDurationMs: toMs(request.min_duration),
      maxDurationMs: toMs(request.max_duration),
      minSizeBytes: request.min_file_size,
      maxSizeBytes: request.max_file_size,
      nodeIds: request.node_ids,
      statuses: request.statuses,
      text: request.text,
      after: request.cursor === undefined ? undefined : cursors.decode(request.cursor, conditions),
    }),
    order: request.order,
    limit: request.limit,
  };
}

/** Without the fields that are undefined: the query's fields are there or not there. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
