import { type Context, Hono } from "hono";
import { describeRoute } from "hono-openapi";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { CameraId } from "../../common/ids.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { askerOf } from "../http/asker.ts";
import { readBody } from "../http/json-body.ts";
import { validParam } from "../http/validate.ts";
import type { RemoteNodes } from "../link/remote-nodes.ts";
import { LocalPath } from "./page-queries.ts";

const maxFormBytes = 4096;
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

/** Throws `invalid_input` for what is no form, or leads elsewhere. */
async function nextOf(c: Context<AppEnv>): Promise<string> {
  const mediaType = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  const body = mediaType === "application/x-www-form-urlencoded" && (await readBody(c.req.raw, maxFormBytes));
  const fields = body instanceof Uint8Array ? new URLSearchParams(new TextDecoder().decode(body)) : undefined;
  const next = v.safeParse(LocalPath, fields?.get("next") ?? "/nodes");
  if (!fields || !next.success)
    throw new AppError("invalid_input", "this is not the form of one of our pages");
  return next.output;
}
