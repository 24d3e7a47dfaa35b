import { Hono } from "hono";
import { createFactory } from "hono/factory";
import * as v from "valibot";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { CameraId, VideoId } from "../../common/ids.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkPreconditions, conditionalHeadersOf, ifRangeHolds } from "../http/preconditions.ts";
import { problemOf, problemResponse } from "../http/problem-response.ts";
import { type ByteRange, planRange } from "../http/range.ts";
import { validParam } from "../http/validate.ts";
import { EdgeBodies } from "./edge-body.ts";
import type { EdgeFiles } from "./edge-files.ts";

/** A video's bytes as they were recorded: those of its file on the node. */
export interface RecordedFile {
  cameraId: string;
  sizeBytes: number;
  body(range: ByteRange): Promise<Blob | ReadableStream<Uint8Array>>;
}

export interface EdgeStreamOptions {
  files: Pick<EdgeFiles, "find" | "read" | "prefer" | "fetchNext">;
  bodies?: EdgeBodies;
  /** From the archive; undefined for what the catalog has not. Throws as the archive does. */
  findArchived: (videoId: string) => Promise<RecordedFile | undefined>;
  logger: Logger;
}

interface Found extends Pick<RecordedFile, "sizeBytes"> {
  isComplete: boolean;
  body(range: ByteRange, signal: AbortSignal): Promise<Blob | ReadableStream<Uint8Array>>;
}

const parameters = validParam(v.object({ id: CameraId, video: VideoId }));

/** What is on a camera's node, to play: over the link, and from the archive as soon as it is there, byte for byte the same. */
export function createEdgeStreamRoutes(options: EdgeStreamOptions) {
  const { files, findArchived, logger, bodies = new EdgeBodies() } = options;

  const onEdge = async (cameraId: string, videoId: string): Promise<Found> => {
    const file = await files.find(cameraId, videoId);
    return {
      ...file,
      async body(range, signal) {
        void files.prefer(file).catch((error: unknown) => {
          logger.debug("a node did not put a segment first", { video_id: videoId, ...errorFields(error) });
        });
        return bodies.open({
          ...{ file, range, signal },
          read: (from, part, gone) => files.read(from, part, gone),
          onError: (error) =>
            logger.warn("footage on a node could not be sent to its end", {
              ...{ node_id: file.nodeId, video_id: videoId, ...errorFields(error) },
            }),
        });
      },
    };
  };

  /** The archive first; what it should have and has not may still be on the node. */
  const find = async (cameraId: string, videoId: string): Promise<Found> => {
    let archived: RecordedFile | undefined;
    try {
      archived = await findArchived(videoId);
    } catch (error) {
      return onEdge(cameraId, videoId).catch(() => {
        throw error;
      });
    }
    if (!archived) return onEdge(cameraId, videoId);
    if (archived.cameraId !== cameraId)
      throw new AppError("not_found", `${cameraId} has no video ${videoId}`);
    return { ...archived, isComplete: true };
  };

  const stream = createFactory<AppEnv>().createHandlers(
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "A video that is still on the camera's node, fragmented MP4, whole or a range of it",
      description:
        "The bytes as they were recorded, over the node's link, and from the archive as soon as it has them: the same " +
        "bytes under the same path. One that is still being recorded has those that are written. Asking for it moves " +
        "it to the front of the node's upload queue. GET and HEAD, one byte range at a time.",
      content: { mediaType: "video/mp4", description: "The whole file." },
      also: {
        206: { description: "The range asked for." },
        304: { description: "The client has it already." },
      },
      problems: [400, 404, 412, 416, 501, 503, 504],
    }),
    parameters,
    async (c) => {
      const { id: cameraId, video: videoId } = c.req.valid("param");
      const { sizeBytes, isComplete, body } = await find(cameraId, videoId);
      // One that grows has no state that could be named.
      const validators = isComplete ? { etag: `"${videoId}"`, lastModifiedMs: 0 } : undefined;
      const headers: Record<string, string> = {
        "Accept-Ranges": "bytes",
        "Content-Type": "video/mp4",
        "Cache-Control": isComplete ? "private, max-age=31536000, immutable" : "no-store",
        ...(validators && { ETag: validators.etag }),
      };
      const conditions = conditionalHeadersOf(c.req.raw);
      const precondition = validators ? checkPreconditions(conditions, validators) : "proceed";
      if (precondition === "not_modified") return new Response(null, { status: 304, headers });
      if (precondition === "failed") {
        const detail = "the video is not the one that the condition names";
        return problemResponse(problemOf({ status: 412, code: "precondition_failed", detail }));
      }
      const isHead = c.req.method === "HEAD";
      const holds = validators
        ? ifRangeHolds(conditions.ifRange, validators)
        : conditions.ifRange === undefined;
      const plan = planRange(!isHead && holds ? c.req.header("range") : undefined, sizeBytes);
      if (plan.kind === "refused" || plan.kind === "multiple") {
        const message = plan.kind === "refused" ? plan.reason : "one range at a time";
        const issues = [{ path: "Range", message }];
        return problemResponse(problemOf({ status: 416, code: "range_not_satisfiable", issues }), {
          "Content-Range": `bytes */${sizeBytes}`,
        });
      }
      const range = plan.kind === "single" ? plan.range : { start: 0, end: sizeBytes };
      headers["Content-Length"] = String(range.end - range.start);
      if (plan.kind === "single")
        headers["Content-Range"] = `bytes ${range.start}-${range.end - 1}/${sizeBytes}`;
      return new Response(isHead ? null : await body(range, c.req.raw.signal), {
        status: plan.kind === "single" ? 206 : 200,
        headers,
      });
    },
  );

  return new Hono<AppEnv>().get("/api/cameras/:id/on-edge/:video/stream.mp4", ...stream).post(
    "/api/cameras/:id/on-edge/:video/fetch",
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "Have a video that is still on the camera's node archived next",
      description: "It moves to the front of the upload queue; so does one that is played, when it is begun.",
      also: { 204: { description: "Done, or it is archived." } },
      problems: [400, 404, 501, 503, 504],
    }),
    parameters,
    async (c) => {
      const { id: cameraId, video: videoId } = c.req.valid("param");
      const archived = await findArchived(videoId).catch((error: unknown) => {
        if (errorCodeOf(error) === "internal") throw error;
        return undefined;
      });
      if (archived?.cameraId !== cameraId) await files.fetchNext(cameraId, videoId);
      return c.body(null, 204);
    },
  );
}
