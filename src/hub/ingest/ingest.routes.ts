import { Hono } from "hono";
import { parseArchivePath } from "../../common/archive-path.ts";
import type { Clock } from "../../common/clock.ts";
import { AppError, type InputIssue } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { type AnnouncedVideo, AnnounceRequest, AnnounceResponse } from "../../common/protocol/announce.ts";
import type { Catalog } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkSpeaksFor } from "../http/node-principal.ts";
import { validJson } from "../http/validate.ts";
import { announceVideos } from "./announce-videos.ts";

/** 500 videos of 1 kB each are half of it. */
const maxBytes = 1024 * 1024;
/** In every time zone a year of four digits. */
const [earliestMs, latestMs] = [0, Date.UTC(9998, 11, 31)];
/** Segments have an hour at most. Whoever looks for what overlaps a range looks as far back as the longest one is. */
const longestMs = 86_400_000;

export function createIngestRoutes(options: {
  catalog: Pick<Catalog, "saveVideos">;
  clock: Clock;
  logger: Logger;
  /** Hears of videos that were not known before. */
  onStored?: (videoIds: readonly string[]) => void;
}) {
  const { catalog, clock, logger, onStored } = options;
  return new Hono<AppEnv>().post(
    "/api/videos/announce",
    allow("node"),
    describe({
      tag: "Ingest",
      summary: "A node announces archived segments",
      description:
        "Idempotent. `stored` and `duplicate` are acknowledgements: the row is on the hub's disk. One result per " +
        "video, in the order sent. Unknown fields are ignored, so that newer nodes can speak to older hubs.",
      answer: AnnounceResponse,
      also: {
        409: {
          description: "At least one is known with other content; the rest is stored.",
          schema: AnnounceResponse,
        },
      },
      problems: [400, 413, 415, 503],
    }),
    validJson(AnnounceRequest, { maxBytes }),
    async (c) => {
      const { videos } = c.req.valid("json");
      for (const { node_id } of videos) checkSpeaksFor(c.var.principal, node_id);
      const issues = videos.flatMap(issuesOf);
      if (issues.length > 0) throw new AppError("invalid_input", "the body is not valid", { issues });

      const results = await announceVideos(catalog, videos, clock.wallMs());
      const stored = results.filter(({ result }) => result === "stored");
      if (stored.length > 0) onStored?.(stored.map(({ video_id }) => video_id));
      const conflicts = results.filter(({ result }) => result === "conflict");
      for (const { video_id, detail } of conflicts) {
        logger.warn("announce refused: known with other content", { video_id, detail });
      }
      return c.json({ results }, conflicts.length === 0 ? 200 : 409);
    },
  );
}

/** What a schema for one field cannot see. */
function issuesOf(video: AnnouncedVideo, index: number): InputIssue[] {
  const path = `videos.${index}`;
  const inFolderOf = parseArchivePath(video.file_path)?.cameraId;
  const spanMs = video.end_time - video.start_time;
  return [
    ...(video.start_time < earliestMs || video.start_time > latestMs
      ? [{ path: `${path}.start_time`, message: "expected a time from 1970 to 9998" }]
      : []),
    ...(spanMs < 0 ? [{ path: `${path}.end_time`, message: "expected a time not before start_time" }] : []),
    ...(spanMs > longestMs
      ? [{ path: `${path}.end_time`, message: "expected a time at most a day after start_time" }]
      : []),
    ...(video.duration_ms > longestMs
      ? [{ path: `${path}.duration_ms`, message: "expected at most a day" }]
      : []),
    ...(inFolderOf === video.camera_id
      ? []
      : [{ path: `${path}.file_path`, message: "expected a path in the folder of camera_id" }]),
  ];
}
