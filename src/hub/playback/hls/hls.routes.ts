import { Hono } from "hono";
import * as v from "valibot";
import { CameraId } from "../../../common/ids.ts";
import { WireTime } from "../../../common/protocol/wire.ts";
import { allow } from "../../http/access.ts";
import type { AppEnv } from "../../http/app-env.ts";
import { describe } from "../../http/describe.ts";
import { validParam, validQuery } from "../../http/validate.ts";
import { qualities } from "../qualities/quality.ts";
import { transcodingIsOff } from "../qualities/transcoding-is-off.ts";
import type { CameraPlaylists } from "./camera-playlists.ts";

const contentType = "application/vnd.apple.mpegurl";

const range = {
  from: v.pipe(
    WireTime,
    v.description("RFC 3339. The playlist begins with the part that has this moment in it."),
  ),
  to: v.optional(
    v.pipe(WireTime, v.description("RFC 3339, at most 7 days later. Without it the playlist grows.")),
  ),
  edge: v.optional(
    v.pipe(
      v.picklist(["0", "1"], "0 or 1"),
      v.description(
        "1: also what is still on the camera's node, over its link. Such a playlist does not grow: ask for it again.",
      ),
    ),
  ),
};
const MasterParameters = v.strictObject(range);
const PlaylistParameters = v.pipe(
  v.strictObject({
    ...range,
    quality: v.optional(
      v.pipe(
        v.picklist(["source", ...qualities], `one of source, ${qualities.join(", ")}`),
        v.description("As it was recorded (source), or transcoded while it is played."),
      ),
    ),
  }),
  v.forward(
    v.check(({ edge, quality = "source" }) => edge !== "1" || quality === "source", "source, with edge=1"),
    ["quality"],
  ),
);

/** What a camera recorded, as HLS: byte ranges of the archived files, nothing remuxed, and transcoded only on demand. */
export function createHlsRoutes(deps: { playlists: CameraPlaylists; isTranscoding: boolean }) {
  const { playlists, isTranscoding } = deps;
  return new Hono<AppEnv>()
    .get(
      "/api/cameras/:id/master.m3u8",
      allow("read"),
      describe({
        tag: "Cameras",
        summary: "HLS multivariant playlist of a camera and a time range",
        description:
          "The recorded quality first, then lower ones, and H.264 of what was recorded as H.265; the attribute " +
          "STABLE-VARIANT-ID has their names. All have the same parts and times, so a player may change at any part. " +
          "Without ffmpeg, or with `transcoding: false`, there is the recorded one alone.",
        content: { mediaType: contentType, description: "The playlist." },
        problems: [400, 404, 503],
      }),
      validParam(v.object({ id: CameraId })),
      validQuery(MasterParameters),
      async (c) => {
        const { from, to, edge } = c.req.valid("query");
        const cameraId = c.req.valid("param").id;
        const text = await playlists.masterOf({ cameraId, fromMs: from, toMs: to, withEdge: edge === "1" });
        return c.body(text, 200, { "Content-Type": contentType });
      },
    )
    .get(
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
        problems: [400, 404, 501, 503],
      }),
      validParam(v.object({ id: CameraId })),
      validQuery(PlaylistParameters),
      async (c) => {
        const { from, to, edge, quality = "source" } = c.req.valid("query");
        if (quality !== "source" && !isTranscoding) throw transcodingIsOff();
        const cameraId = c.req.valid("param").id;
        const text = await playlists.playlistOf(
          { cameraId, fromMs: from, toMs: to, withEdge: edge === "1" },
          quality === "source" ? undefined : quality,
        );
        return c.body(text, 200, { "Content-Type": contentType });
      },
    );
}
