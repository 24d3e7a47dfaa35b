import { Hono } from "hono";
import * as v from "valibot";
import { CameraId } from "../../../common/ids.ts";
import { allow } from "../../http/access.ts";
import type { AppEnv } from "../../http/app-env.ts";
import { describe } from "../../http/describe.ts";
import { validParam } from "../../http/validate.ts";
import type { LiveRings } from "./live-rings.ts";

const playlistType = "application/vnd.apple.mpegurl";
const PartName = v.pipe(
  v.string(),
  v.regex(/^(?:\d{1,15}\.m4s|init-\d{1,15}\.mp4)$/, "a name from the playlist"),
);

/** What a camera gives now, for players that know HLS and no WebSocket. */
export function createLiveHlsRoutes({ rings }: { rings: Pick<LiveRings, "playlistOf" | "bytesOf"> }) {
  return new Hono<AppEnv>()
    .get(
      "/api/cameras/:id/live.m3u8",
      allow("read"),
      describe({
        tag: "Cameras",
        summary: "What a camera gives now, as HLS",
        description:
          "A media playlist (RFC 8216bis) that slides over the newest fragments, some seconds behind the WebSocket. The " +
          "node sends from the first request until some seconds after the last, once for all who watch. A new run is a " +
          "discontinuity.",
        content: { mediaType: playlistType, description: "The playlist." },
        problems: [400, 404, 503],
      }),
      validParam(v.object({ id: CameraId })),
      async (c) => {
        const text = await rings.playlistOf(c.req.valid("param").id);
        return c.body(text, 200, { "Content-Type": playlistType, "Cache-Control": "no-store" });
      },
    )
    .get(
      "/api/cameras/:id/live/:part",
      allow("read"),
      describe({
        tag: "Cameras",
        summary: "A fragment or an init segment of the live playlist",
        description: "For about as long as a playlist names it, and that time again.",
        content: { mediaType: "video/mp4", description: "Fragmented MP4." },
        problems: [400, 404],
      }),
      validParam(v.object({ id: CameraId, part: PartName })),
      async (c) => {
        const { id, part } = c.req.valid("param");
        const bytes = await rings.bytesOf(id, part);
        return c.body(bytes, 200, {
          "Content-Type": "video/mp4",
          "Content-Length": String(bytes.byteLength),
          // Its name never means anything else.
          "Cache-Control": "private, max-age=60",
        });
      },
    );
}
