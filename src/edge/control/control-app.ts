import { type Context, Hono } from "hono";
import { AppError, describeError, errorCodeOf } from "../../common/errors.ts";
import { VideoId } from "../../common/ids.ts";
import { checkInput } from "../../common/input-issues.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { ConfigureRequest, type UploadList } from "../../common/protocol/control.ts";
import { httpStatusOf, type Problem } from "../../common/protocol/problem.ts";
import type { ControlledCamera, ControlledNode } from "./controlled-node.ts";

const maxListed = 1000;
const snapshotTimeoutMs = 10_000;

/** The routes behind the control socket. Whoever can open the socket may use all of them: its mode is the credential. */
export function createControlApp({
  node,
  logger,
}: {
  node: Omit<ControlledNode, "footage">;
  logger: Logger;
}) {
  const cameraOf = (c: Context): ControlledCamera => {
    const camera = node.camera(c.req.param("id") ?? "");
    if (!camera) throw new AppError("not_found", "this node has no camera of that id");
    return camera;
  };
  const videoIdOf = (c: Context): string => {
    const checked = checkInput(VideoId, c.req.param("id"));
    if (!checked.ok) throw new AppError("invalid_input", "not the id of a video", { issues: checked.issues });
    return checked.output;
  };
  const found = (isFound: boolean): void => {
    if (!isFound) throw new AppError("not_found", "no such segment waits to be uploaded");
  };

  const app = new Hono()
    .get("/status", async (c) => c.json(await node.status()))
    .post("/cameras/:id/pause", async (c) => {
      await cameraOf(c).pause();
      return c.body(null, 204);
    })
    .post("/cameras/:id/resume", async (c) => {
      await cameraOf(c).resume();
      return c.body(null, 204);
    })
    .post("/cameras/:id/configure", async (c) => {
      const camera = cameraOf(c);
      const checked = checkInput(ConfigureRequest, await c.req.json().catch(() => undefined));
      if (!checked.ok) throw new AppError("invalid_input", "not valid settings", { issues: checked.issues });
      const { width, height, fps, bitrate_bps: bitrateBps } = checked.output;
      await camera.configure({
        ...(width !== undefined && { width }),
        ...(height !== undefined && { height }),
        ...(fps !== undefined && { fps }),
        ...(bitrateBps !== undefined && { bitrateBps }),
      });
      return c.body(null, 204);
    })
    .get("/cameras/:id/snapshot", async (c) => {
      const jpeg = await cameraOf(c).snapshot(AbortSignal.timeout(snapshotTimeoutMs));
      return c.body(jpeg, 200, { "content-type": "image/jpeg" });
    })
    .get("/uploads", (c) => {
      const uploads = node.uploads();
      const answer: UploadList = { uploads: uploads.slice(0, maxListed), total: uploads.length };
      return c.json(answer);
    })
    .post("/uploads/:id/cancel", (c) => {
      found(node.cancelUpload(videoIdOf(c)));
      return c.body(null, 204);
    })
    .post("/uploads/:id/retry", (c) => {
      found(node.retryUpload(videoIdOf(c)));
      return c.body(null, 204);
    })
    .post("/reload", async (c) => c.json(await node.reload()))
    .get("/archive", async (c) => c.json(await node.checkArchive()));

  app.notFound(() => problemResponse(new AppError("not_found", "there is no such route")));
  app.onError((error) => {
    if (errorCodeOf(error) === "internal") logger.error("a control request failed", errorFields(error));
    return problemResponse(error);
  });
  return app;
}

function problemResponse(error: unknown): Response {
  const code = errorCodeOf(error);
  const status = httpStatusOf[code];
  const body: Problem = {
    type: "about:blank",
    title: code,
    status,
    detail: describeError(error),
    code,
    ...(error instanceof AppError && error.issues.length > 0 && { issues: [...error.issues] }),
  };
  return Response.json(body, { status, headers: { "content-type": "application/problem+json" } });
}
