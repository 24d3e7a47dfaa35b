import { Hono } from "hono";
import * as v from "valibot";
import { AppError } from "../../../common/errors.ts";
import { VideoId } from "../../../common/ids.ts";
import { allow } from "../../http/access.ts";
import type { AppEnv } from "../../http/app-env.ts";
import { describe } from "../../http/describe.ts";
import { validParam, validQuery } from "../../http/validate.ts";
import { pictureResponse } from "../picture-response.ts";
import type { PlayableVideos } from "../playable-videos.ts";
import { findPlayableVideo } from "../video-file.ts";
import type { VideoPictures } from "../video-pictures.ts";
import { formatPreviewsVtt, planPreviews } from "./plan-previews.ts";

const noQuery = validQuery(v.strictObject({}));
const anId = validParam(v.object({ id: VideoId }));
/** Another layout gets another number. */
const variant = "previews1";

/** What a player shows while somebody drags along a video. `previews` is absent where they are switched off. */
export function createPreviewRoutes(deps: {
  videos: Pick<PlayableVideos, "findVideo">;
  previews: Pick<VideoPictures, "of"> | undefined;
}) {
  const { videos, previews } = deps;
  const switchedOn = () => {
    if (previews === undefined) throw new AppError("not_found", "this hub makes no previews");
    return previews;
  };
  return new Hono<AppEnv>()
    .get(
      "/api/videos/:id/previews.vtt",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "Which part of previews.jpg stands for which part of the video",
        description:
          "WebVTT: one cue for every ten seconds from the start of the video, its text the address of the pictures " +
          "with the part to be shown, `/api/videos/{id}/previews.jpg#xywh=x,y,width,height` (in pixels).",
        content: { mediaType: "text/vtt", description: "The cues." },
        also: { 304: { description: "The client has it already." } },
        problems: [400, 404],
      }),
      anId,
      noQuery,
      async (c) => {
        switchedOn();
        const video = await findPlayableVideo(videos, c.req.valid("param").id);
        const vtt = () => formatPreviewsVtt(planPreviews(video), `/api/videos/${video.videoId}/previews.jpg`);
        return pictureResponse(c, {
          ...{ video, contentType: "text/vtt; charset=utf-8", variant: `${variant}-vtt` },
          make: async () => new TextEncoder().encode(vtt()),
        });
      },
    )
    .get(
      "/api/videos/:id/previews.jpg",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "Small pictures of the video, one for every ten seconds, in one image",
        description:
          "Ten in a row, each at most 160 pixels wide. Made when it is asked for where it is not kept.",
        content: { mediaType: "image/jpeg", description: "The pictures." },
        also: { 304: { description: "The client has it already." } },
        problems: [400, 404, 503],
      }),
      anId,
      noQuery,
      async (c) => {
        const pictures = switchedOn();
        const video = await findPlayableVideo(videos, c.req.valid("param").id);
        return pictureResponse(c, {
          ...{ video, contentType: "image/jpeg", variant },
          make: () => pictures.of(video),
        });
      },
    );
}
