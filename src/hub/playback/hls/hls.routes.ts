import { Hono } from "hono";
import * as v from "valibot";
import { CameraId } from "../../../common/ids.ts";
import { WireTime } from "../../../common/protocol/wire.ts";
import { allow } from "../../http/access.ts";
import type { AppEnv } from "../../http/app-env.ts";
import { describe } from "../../http/describe.ts";
import { validParam, validQuery } from "../../http/validate.ts";
import type { CameraPlaylists } from "./camera-playlists.ts";

const contentType = "application/vnd.apple.mpegurl";

const HlsParameters = v.strictObject({
  from: v.pipe(
    WireTime,
    v.description("RFC 3339. The playlist begins with the part that has this moment in it."),
  ),
  to: v.optional(
    v.pipe(WireTime, v.description("RFC 3339, at most 7 days later. Without it the playlist grows.")),
  ),
});

/** What a camera recorded, as HLS: byte ranges of the archived files, nothing remuxed or transcoded. */
export function createHlsRoutes({ playlists }: { playlists: CameraPlaylists }) {
  return new Hono<AppEnv>().get(
    "/api/cameras/:id/hls.m3u8",
    allow("read"),
    describe({
      tag: "Cameras",
      summary: "HLS playlist of a camera and a time range",
      description:
        "A media playlist (RFC 8216bis) of byte ranges of the archived files, which take the same credential. " +
        "EXT-X-DISCONTINUITY stands where times do not continue, EXT-X-PROGRAM-DATE-TIME at every file, and " +
        'EXT-X-DATERANGE of the class "livecam.gap" tells what is missing, with X-CAUSE. With `to` in the future, or ' +
        "without, it is an EVENT playlist that grows whenever a segment was archived.",
      content: { mediaType: contentType, description: "The playlist." },
      problems: [400, 404, 503],
    }),
    validParam(v.object({ id: CameraId })),
    validQuery(HlsParameters),
    async (c) => {
      const { from, to } = c.req.valid("query");
      const cameraId = c.req.valid("param").id;
      const text = await playlists.playlistOf({ cameraId, fromMs: from, toMs: to });
      return c.body(text, 200, { "Content-Type": contentType });
    },
  );
}
