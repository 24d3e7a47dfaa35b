import { type Context, Hono } from "hono";
import { createFactory } from "hono/factory";
import * as v from "valibot";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { VideoId } from "../../common/ids.ts";
import type { Video } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkPreconditions, formatHttpDate, ifRangeHolds } from "../http/preconditions.ts";
import { problemOf, problemResponse } from "../http/problem-response.ts";
import { type ByteRange, planRange } from "../http/range.ts";
import { validParam, validQuery } from "../http/validate.ts";
import type { PlayableParts } from "./hls/playable-parts.ts";
import type { MediaSource } from "./media-source.ts";
import { createMultipartBody } from "./multipart-body.ts";
import type { PlayableVideos } from "./playable-videos.ts";
import { checkVideoFile, findPlayableVideo, markVideo, playbackError } from "./video-file.ts";

const contentType = "video/mp4";

/**
 * The archived file over HTTP, as it is: GET and HEAD with conditions and ranges of RFC 9110. An id stands for the
 * same bytes for ever, so the ETag is the file's hash and the answer may be cached for good. What the client already
 * has is answered without a look at the archive.
 *
 * Of a damaged file the bytes that are there are the representation (RFC 9110 section 3.2), with a weak tag of their own
 * and not to be kept, and `Livecam-Integrity` says so: `damaged;bytes=20000;recorded-bytes=40000` (RFC 9651).
 *
 * Bun sends slices of files with `sendfile`; it leaves `Content-Length` of a HEAD, and the total of
 * `Content-Range`, to us. A file that shrinks while it is sent ends the connection by its idle timeout.
 */
export function createStreamRoutes(deps: {
  videos: PlayableVideos;
  media: MediaSource;
  parts: Pick<PlayableParts, "damagedSizeOf">;
}) {
  const handlers = createFactory<AppEnv>().createHandlers(
    allow("read"),
    describe({
      tag: "Videos",
      summary: "The video itself, MP4, whole or in ranges",
      description:
        "GET and HEAD with the conditions and byte ranges of RFC 9110. Several ranges come as multipart/byteranges, " +
        "joined where they touch; more than 64, or what is no range of bytes, is refused with 416. Of a file that is " +
        "damaged come the bytes that it has, and the header Livecam-Integrity says so.",
      content: { mediaType: contentType, description: "The whole file." },
      also: {
        206: { description: "The ranges asked for." },
        304: { description: "The client has it already." },
      },
      problems: [400, 404, 412, 416, 503],
    }),
    validParam(v.object({ id: VideoId })),
    // 1 offers the file for saving instead of showing it.
    validQuery(v.strictObject({ download: v.optional(v.picklist(["0", "1"], "0 or 1")) })),
    async (c) => {
      const video = await findPlayableVideo(deps.videos, c.req.valid("param").id);
      let validators = { etag: `"${video.fileSha256}"`, lastModifiedMs: video.createdAtMs };
      const headers: Record<string, string> = {
        ETag: validators.etag,
        "Last-Modified": formatHttpDate(validators.lastModifiedMs),
        "Cache-Control": "private, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
      };

      let precondition = checkPreconditions(conditionsOf(c), validators);
      if (precondition === "not_modified") return new Response(null, { status: 304, headers });
      const { size, isDamaged } = await checkFile(deps, video);
      if (isDamaged) {
        const etag = `"damaged-${size}-${video.fileSha256.slice(0, 16)}"`;
        // Nobody knows when it changed: later than any date in a condition.
        validators = { etag, lastModifiedMs: Number.MAX_SAFE_INTEGER };
        headers.ETag = `W/${etag}`;
        headers["Cache-Control"] = "private, no-cache";
        headers["Livecam-Integrity"] = `damaged;bytes=${size};recorded-bytes=${video.fileSizeBytes}`;
        delete headers["Last-Modified"];
        precondition = checkPreconditions(conditionsOf(c), validators);
        if (precondition === "not_modified") return new Response(null, { status: 304, headers });
      }
      if (precondition === "failed") {
        const detail = "the video is not the one that the condition names";
        return problemResponse(problemOf({ status: 412, code: "precondition_failed", detail }));
      }

      // HEAD describes the answer to a GET without ranges (RFC 9110 section 14.2).
      const isHead = c.req.method === "HEAD";
      const rangeHeader =
        !isHead && ifRangeHolds(c.req.header("if-range"), validators) ? c.req.header("range") : undefined;
      const plan = planRange(rangeHeader, size);
      if (plan.kind === "refused") {
        const issues = [{ path: "Range", message: plan.reason }];
        return problemResponse(problemOf({ status: 416, code: "range_not_satisfiable", issues }), {
          "Content-Range": `bytes */${size}`,
        });
      }

      headers["Content-Disposition"] =
        `${c.req.valid("query").download === "1" ? "attachment" : "inline"}; filename="${nameOf(video)}"`;
      if (plan.kind === "multiple") {
        const boundary = `livecam-${crypto.randomUUID()}`;
        headers["Content-Type"] = `multipart/byteranges; boundary=${boundary}`;
        const body = await createMultipartBody({
          media: deps.media,
          filePath: video.filePath,
          fileSizeBytes: size,
          ranges: plan.ranges,
          contentType,
          boundary,
          onError: (error) => markVideo(deps.videos, video, error),
        }).catch((error: unknown) => refuse(deps.videos, video, error));
        return new Response(body, { status: 206, headers });
      }
      const range = plan.kind === "single" ? plan.range : { start: 0, end: size };
      headers["Content-Type"] = contentType;
      const kept =
        plan.kind === "single" && !isHead ? keptFileOf(deps.media, video, c, plan.range) : undefined;
      if (kept !== undefined) {
        // Bun reads the range by itself, and writes what belongs to it; of any other status it sends the whole file.
        delete headers["Accept-Ranges"];
        c.set("sentStatus", 206);
        return new Response(kept, { headers });
      }
      headers["Content-Length"] = String(range.end - range.start);
      if (plan.kind === "single") headers["Content-Range"] = `bytes ${range.start}-${range.end - 1}/${size}`;
      return new Response(isHead ? null : await bodyOf(deps, video, range), {
        status: plan.kind === "single" ? 206 : 200,
        headers,
      });
    },
  );
  // The second for players that go by the ending: ffmpeg refuses parts of a playlist that have none it knows.
  return new Hono<AppEnv>()
    .get("/api/videos/:id/stream", ...handlers)
    .get("/api/videos/:id/stream.mp4", ...handlers);
}

/** How much of the file there is. Throws as {@link checkVideoFile} where not even its beginning is this video. */
async function checkFile(
  { videos, media, parts }: Parameters<typeof createStreamRoutes>[0],
  video: Video,
): Promise<{ size: number; isDamaged: boolean }> {
  try {
    await checkVideoFile({ videos, media }, video);
    return { size: video.fileSizeBytes, isDamaged: video.status === "damaged" };
  } catch (error) {
    if (!(error instanceof AppError) || errorCodeOf(error.cause) !== "corrupt_file") throw error;
    const size = await parts.damagedSizeOf(video).catch((cause: unknown) => {
      throw playbackError(video, cause);
    });
    if (size === undefined) throw error;
    return { size, isDamaged: true };
  }
}

/** Of so many bytes Bun sends a part of a descriptor by `sendfile`, which leaves its position alone. */
const minKeptBytes = 1024 * 1024;

/** The whole file, if Bun understands by the request's `Range` just the same as we. */
function keptFileOf(media: MediaSource, { filePath }: Video, c: Context<AppEnv>, { start, end }: ByteRange) {
  if (end - start < minKeptBytes || c.req.header("if-range") !== undefined) return undefined;
  if (c.req.header("range") !== `bytes=${start}-${end - 1}`) return undefined;
  return media.keptFile?.(filePath, c.req.raw, c.env.isOver);
}

/** An adapter that opens the file before the answer begins tells here what the look at it did not see. */
async function bodyOf(
  { videos, media }: Pick<Parameters<typeof createStreamRoutes>[0], "videos" | "media">,
  video: Video,
  range: ByteRange,
) {
  try {
    return await media.body(video.filePath, range);
  } catch (error) {
    return refuse(videos, video, error);
  }
}

async function refuse(videos: PlayableVideos, video: Video, error: unknown): Promise<never> {
  await markVideo(videos, video, error);
  throw playbackError(video, error);
}

function conditionsOf(c: Context) {
  return {
    ifMatch: c.req.header("if-match"),
    ifNoneMatch: c.req.header("if-none-match"),
    ifModifiedSince: c.req.header("if-modified-since"),
    ifUnmodifiedSince: c.req.header("if-unmodified-since"),
    ifRange: c.req.header("if-range"),
  };
}

/** Ours by the schema of the path: letters, digits, `-`, `_` and one dot, so it needs no quoting. */
function nameOf(video: Video): string {
  return video.filePath.slice(video.filePath.lastIndexOf("/") + 1);
}
