import { Hono } from "hono";
import * as v from "valibot";
import { errorCodeOf } from "../../../common/errors.ts";
import { VideoId } from "../../../common/ids.ts";
import { allow } from "../../http/access.ts";
import type { AppEnv } from "../../http/app-env.ts";
import { describe } from "../../http/describe.ts";
import { validParam, validQuery } from "../../http/validate.ts";
import { wholeBody } from "../../http/whole-body.ts";
import type { PlayableVideos } from "../playable-videos.ts";
import { findPlayableVideo, markVideo, playbackError } from "../video-file.ts";
import { type Quality, qualities } from "./quality.ts";
import type { TranscodedParts, WantedPart } from "./transcoded-parts.ts";
import { transcodingIsOff } from "./transcoding-is-off.ts";

const contentType = "video/mp4";

const QualityFile = v.pipe(
  v.picklist(
    qualities.map((quality) => `${quality}.mp4` as const),
    `one of ${qualities.map((quality) => `${quality}.mp4`).join(", ")}`,
  ),
  v.transform((name) => name.slice(0, -".mp4".length) as Quality),
);

const PartBytes = v.pipe(
  v.string(),
  v.regex(/^\d{1,15}-\d{1,15}$/, "the first byte of a part and the first after it, such as 5120-90210"),
  v.transform((text) => {
    const [start = 0, end = 0] = text.split("-").map(Number);
    return { start, end };
  }),
);

const noQuery = validQuery(v.strictObject({}));

/** What the playlists of lower qualities lead to. */
export function createQualityRoutes(deps: {
  videos: PlayableVideos;
  /** Undefined where transcoding is switched off. */
  transcoded: TranscodedParts | undefined;
}) {
  const { videos, transcoded } = deps;

  async function answer(request: Request, videoId: string, quality: Quality, wanted: WantedPart) {
    if (transcoded === undefined) throw transcodingIsOff();
    const video = await findPlayableVideo(videos, videoId);
    try {
      const { bytes, tag } = await transcoded.get(video, quality, wanted, request.signal);
      const headers = {
        "Content-Type": contentType,
        "Content-Length": String(bytes.length),
        // Another ffmpeg makes other bytes that show the same.
        ETag: `W/"${tag}"`,
        // A damaged file may be repaired.
        "Cache-Control": video.status === "damaged" ? "private, no-cache" : "private, max-age=3600",
      };
      return new Response(request.method === "HEAD" ? null : wholeBody(bytes as Uint8Array<ArrayBuffer>), {
        headers,
      });
    } catch (error) {
      const code = errorCodeOf(error);
      if (code !== "not_found" && code !== "corrupt_file" && code !== "io") throw error;
      await markVideo(videos, video, error);
      throw playbackError(video, error);
    }
  }

  return new Hono<AppEnv>()
    .get(
      "/api/videos/:id/init/:quality",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "Init segment of a video in another quality",
        description: "For the parts in the same quality. Made when it is asked for.",
        content: { mediaType: contentType, description: "`ftyp` and `moov`." },
        problems: [400, 404, 501, 503],
      }),
      validParam(v.object({ id: VideoId, quality: QualityFile })),
      noQuery,
      async (c) => {
        const { id, quality } = c.req.valid("param");
        return answer(c.req.raw, id, quality, "init");
      },
    )
    .get(
      "/api/videos/:id/parts/:part/:quality",
      allow("read"),
      describe({
        tag: "Videos",
        summary: "A part of a video in another quality",
        description:
          "The part is named by its bytes in the archived file, as the playlist names it. Transcoded when it is asked " +
          "for, once for all who ask, and no further when they have gone; with the times and the sound of the recording.",
        content: { mediaType: contentType, description: "`moof` and `mdat`, from a keyframe on." },
        problems: [400, 404, 501, 503],
      }),
      validParam(v.object({ id: VideoId, part: PartBytes, quality: QualityFile })),
      noQuery,
      async (c) => {
        const { id, part, quality } = c.req.valid("param");
        return answer(c.req.raw, id, quality, part);
      },
    );
}
