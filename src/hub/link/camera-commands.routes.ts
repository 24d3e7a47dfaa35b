import { Hono } from "hono";
import * as v from "valibot";
import { CameraId } from "../../common/ids.ts";
import { ConfigureRequest } from "../../common/protocol/control.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { askerOf } from "../http/asker.ts";
import { describe } from "../http/describe.ts";
import { validJson, validParam } from "../http/validate.ts";
import type { RemoteNodes } from "./remote-nodes.ts";

const camera = v.object({ id: CameraId });
const done = { 204: { description: "Done." } };
const problems = [400, 404, 501, 503, 504];

/** What can be asked of a camera while its node is linked. */
export function createCameraCommandRoutes({ remote }: { remote: RemoteNodes }) {
  return new Hono<AppEnv>()
    .post(
      "/api/cameras/:id/pause",
      allow("admin"),
      describe({
        tag: "Cameras",
        summary: "Record nothing until it is resumed",
        description:
          "The camera is let go: no snapshot and no live view either. The time is a gap with the cause `paused`. " +
          "It lasts until somebody resumes the camera, also through a restart of its node. Paused again stays paused.",
        also: done,
        problems,
      }),
      validParam(camera),
      async (c) => {
        await remote.pause(c.req.valid("param").id, askerOf(c));
        return c.body(null, 204);
      },
    )
    .post(
      "/api/cameras/:id/resume",
      allow("admin"),
      describe({ tag: "Cameras", summary: "Record again", also: done, problems }),
      validParam(camera),
      async (c) => {
        await remote.resume(c.req.valid("param").id, askerOf(c));
        return c.body(null, 204);
      },
    )
    .post(
      "/api/cameras/:id/configure",
      allow("admin"),
      describe({
        tag: "Cameras",
        summary: "Resolution, fps and bitrate until the node's next start",
        description: "The capture is started anew with it: a new run begins. What is not named stays.",
        also: done,
        problems: [...problems, 413, 415],
      }),
      validParam(camera),
      validJson(ConfigureRequest, { maxBytes: 4096 }),
      async (c) => {
        await remote.configure(c.req.valid("param").id, c.req.valid("json"), askerOf(c));
        return c.body(null, 204);
      },
    )
    .get(
      "/api/cameras/:id/snapshot",
      allow("read"),
      describe({
        tag: "Cameras",
        summary: "The newest keyframe, from the node",
        description: "503 while the camera is paused.",
        content: { mediaType: "image/jpeg", description: "The picture." },
        problems,
      }),
      validParam(camera),
      async (c) => {
        const jpeg = await remote.snapshot(c.req.valid("param").id, askerOf(c));
        return c.body(jpeg, 200, {
          "content-type": "image/jpeg",
          "content-length": String(jpeg.byteLength),
          "cache-control": "no-store",
        });
      },
    );
}
