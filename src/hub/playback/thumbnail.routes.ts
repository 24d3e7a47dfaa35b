import { Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { CameraId, VideoId } from "../../common/ids.ts";
import type { Video } from "../db/catalog.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { describe } from "../http/describe.ts";
import { validParam, validQuery } from "../http/validate.ts";
import { pictureResponse } from "./picture-response.ts";
import type { PlayableVideos } from "./playable-videos.ts";
import { findPlayableVideo } from "./video-file.ts";
import type { VideoPictures } from "./video-pictures.ts";

/** What these routes need to know of a camera. Throws `not_found` for one that is not known. */
export interface NewestVideos {
  newestVideoOf(cameraId: string): Promise<Video | undefined>;
}

const noQuery = validQuery(v.strictObject({}));

export function createThumbnailRoutes(deps: {
  videos: PlayableVideos;
  thumbnails: Pick<VideoPictures, "of">;
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
        return pictureResponse(c, {
          ...{ video, contentType: "image/jpeg", variant: "320" },
          make: () => thumbnails.of(video),
        });
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
