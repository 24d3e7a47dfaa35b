import { Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { CameraId, VideoId } from "../../common/ids.ts";
import type { Video } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { checkPreconditions, formatHttpDate } from "../http/preconditions.ts";
import { problemOfError } from "../http/problem-response.ts";
import { validParam, validQuery } from "../http/validate.ts";
import { noPicture } from "./no-picture.ts";
import type { PlayableVideos } from "./playable-videos.ts";
import type { Thumbnails } from "./thumbnails.ts";
import { findPlayableVideo } from "./video-file.ts";

/** What these routes need to know of a camera. Throws `not_found` for one that is not known. */
export interface NewestVideos {
  newestVideoOf(cameraId: string): Promise<Video | undefined>;
}

const noQuery = validQuery(v.strictObject({}));

export function createThumbnailRoutes(deps: {
  videos: PlayableVideos;
  thumbnails: Thumbnails;
  cameras: NewestVideos;
}) {
  const { videos, thumbnails, cameras } = deps;
  return new Hono<AppEnv>()
    .get(
      "/api/videos/:id/thumbnail",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "A picture of the video: its first, 320 pixels wide",
        description: 'Clients that prefer images get a drawn "no picture" as the body of 404 and 503.',
        content: { mediaType: "image/jpeg", description: "The picture." },
        also: { 304: { description: "The client has it already." } },
        problems: [400, 404, 503],
      }),
      validParam(v.object({ id: VideoId })),
      noQuery,
      async (c) => {
        const video = await findPlayableVideo(videos, c.req.valid("param").id);
        // Of the same video another ffmpeg may make other bytes that show the same: a weak tag.
        const validators = {
          etag: `"${video.fileSha256.slice(0, 32)}-320"`,
          lastModifiedMs: video.createdAtMs,
        };
        const headers = {
          ETag: `W/${validators.etag}`,
          "Last-Modified": formatHttpDate(validators.lastModifiedMs),
          "Cache-Control": "private, max-age=31536000, immutable",
        };
        const known = checkPreconditions(
          {
            ifMatch: undefined,
            ifUnmodifiedSince: undefined,
            ifNoneMatch: c.req.header("if-none-match"),
            ifModifiedSince: c.req.header("if-modified-since"),
            ifRange: undefined,
          },
          validators,
        );
        if (known === "not_modified") return new Response(null, { status: 304, headers });
        try {
          const jpeg = await thumbnails.of(video);
          return new Response(c.req.method === "HEAD" ? null : (jpeg as Uint8Array<ArrayBuffer>), {
            headers: { ...headers, "Content-Type": "image/jpeg", "Content-Length": String(jpeg.length) },
          });
        } catch (error) {
          if (!(error instanceof AppError) || !prefersImages(c.req.header("accept"))) throw error;
          const { status } = problemOfError(error, c.var.requestId);
          return new Response(noPicture, {
            status,
            headers: { "Content-Type": "image/svg+xml", "Cache-Control": "no-store" },
          });
        }
      },
    )
    .get(
      "/api/cameras/:id/snapshot",
      allow("read"),
      describe({
        tag: "Cameras",
        summary: "The newest picture of a camera",
        description: "Leads to the thumbnail of the newest video.",
        also: { 302: { description: "Where the picture is." } },
        problems: [400, 404],
      }),
      validParam(v.object({ id: CameraId })),
      noQuery,
      async (c) => {
        const video = await cameras.newestVideoOf(c.req.valid("param").id);
        if (!video) throw new AppError("not_found", "this camera has no video yet");
        c.header("Cache-Control", "no-store");
        return c.redirect(`/api/videos/${video.videoId}/thumbnail`, 302);
      },
    );
}

/** An `<img>` names image types first; programs say `application/json` or leave it at anything. */
function prefersImages(accept = ""): boolean {
  return /^\s*image\//.test(accept);
}
