/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { describeRoute } from "hono-openapi";
import * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { CameraId, VideoId } from "../../common/ids.ts";
import { WireTime } from "../../common/protocol/wire.ts";
import type { EdgeFootage } from "../edge-footage/edge-footage.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { validParam, validQuery } from "../http/validate.ts";
import type { NodeService } from "../nodes/node-service.ts";
import type { VideoService } from "../videos/video-service.ts";
import type { Assets } from "./assets.ts";
import { EdgeVideoPage } from "./edge-video.page.tsx";
import { nextOf } from "./next-of-form.ts";
import { pageContextOf } from "./page-context.ts";
import { renderPage } from "./render-page.ts";

export interface EdgeVideoPagesOptions {
  videos: Pick<VideoService, "find">;
  nodes: Pick<NodeService, "findCamera">;
  edgeFootage: EdgeFootage;
  /** Moves a video to the front of its node's upload queue. Throws `not_found` for what is not on the node. */
  fetchNext: (cameraId: string, videoId: string) => Promise<void>;
  clock: Clock;
  assets: Assets;
}

const isPage = describeRoute({ hide: true });
const parameters = validParam(v.object({ id: CameraId, video: VideoId }));

/** The page of a video that is still on its node, until it is archived and has one like all others. */
export function createEdgeVideoPages(options: EdgeVideoPagesOptions) {
  const { videos, nodes, edgeFootage, fetchNext, clock, assets } = options;
  return new Hono<AppEnv>()
    .get(
      "/cameras/:id/on-edge/:video",
      allow("page"),
      isPage,
      parameters,
      // Its start: the id of one that was dated anew tells another time.
      validQuery(v.strictObject({ at: WireTime })),
      async (c) => {
        const { id: cameraId, video: videoId } = c.req.valid("param");
        const { at } = c.req.valid("query");
        const camera = await nodes.findCamera(cameraId);
        const found = await edgeFootage.list(cameraId, { fromMs: at, toMs: at + 1 });
        const video = found.videos.find((one) => one.videoId === videoId);
        if (await isArchived(videoId)) return c.redirect(`/videos/${videoId}`, 303);
        if (!video)
          throw new AppError("not_found", "this video is not on the camera's node, or the node is away");
        const page = pageContextOf(c, { nowMs: clock.wallMs(), assets });
        return c.html(renderPage(<EdgeVideoPage page={page} model={{ video, camera }} />));
      },
    )
    .post("/cameras/:id/on-edge/:video/fetch", allow("page"), isPage, parameters, async (c) => {
      const next = await nextOf(c);
      const { id: cameraId, video: videoId } = c.req.valid("param");
      await fetchNext(cameraId, videoId).catch((error: unknown) => {
        // Archived meanwhile: the page that people come back to leads on.
        if (errorCodeOf(error) !== "not_found") throw error;
      });
      return c.redirect(next, 303);
    });

  async function isArchived(videoId: string): Promise<boolean> {
    return videos.find(videoId).then(
      () => true,
      (error: unknown) => {
        if (errorCodeOf(error) === "not_found") return false;
        throw error;
      },
    );
  }
}
