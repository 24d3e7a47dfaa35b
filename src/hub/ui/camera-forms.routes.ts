import { Hono } from "hono";
import { describeRoute } from "hono-openapi";
import * as v from "valibot";
import { CameraId } from "../../common/ids.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { askerOf } from "../http/asker.ts";
import { validParam } from "../http/validate.ts";
import type { RemoteNodes } from "../link/remote-nodes.ts";
import { nextOf } from "./next-of-form.ts";

const isPage = describeRoute({ hide: true });
const camera = validParam(v.object({ id: CameraId }));

/** The buttons of the pages, as forms that work without script; afterwards people are where they were. */
export function createCameraForms({ remote }: { remote: Pick<RemoteNodes, "pause" | "resume"> }) {
  return new Hono<AppEnv>()
    .post("/cameras/:id/pause", allow("admin"), isPage, camera, async (c) => {
      const next = await nextOf(c);
      await remote.pause(c.req.valid("param").id, askerOf(c));
      return c.redirect(next, 303);
    })
    .post("/cameras/:id/resume", allow("admin"), isPage, camera, async (c) => {
      const next = await nextOf(c);
      await remote.resume(c.req.valid("param").id, askerOf(c));
      return c.redirect(next, 303);
    });
}
