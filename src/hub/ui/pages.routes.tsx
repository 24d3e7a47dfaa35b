/** @jsxImportSource hono/jsx */
import { type Context, Hono } from "hono";
import { describeRoute } from "hono-openapi";
import * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { errorCodeOf } from "../../common/errors.ts";
import { CameraId, VideoId } from "../../common/ids.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import { localDateOf } from "../../common/time-zone.ts";
import type { EdgeFootage } from "../edge-footage/edge-footage.ts";
import type { HealthService } from "../health/health-service.ts";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import { listOf } from "../http/list-parameters.ts";
import { validParam, validQuery } from "../http/validate.ts";
import type { RemoteNodes } from "../link/remote-nodes.ts";
import type { NodeService } from "../nodes/node-service.ts";
import type { VideoService } from "../videos/video-service.ts";
import { AccountPage } from "./account.page.tsx";
import type { Assets } from "./assets.ts";
import { CameraDayPage } from "./camera-day.page.tsx";
import {
  type GapFinder,
  loadCameraDay,
  loadDayGaps,
  maxGapsPerDay,
  maxVideosPerDay,
  withoutArchived,
} from "./camera-day.ts";
import { CamerasPage } from "./cameras.page.tsx";
import { HealthPage } from "./health.page.tsx";
import { languageCookie, languages } from "./language.ts";
import { LivePage } from "./live.page.tsx";
import { NodesPage } from "./nodes.page.tsx";
import { pageContextOf } from "./page-context.ts";
import {
  CalendarDay,
  HourIndex,
  LocalPath,
  Moment,
  OtherCameras,
  SaveAs,
  TimeOfDay,
} from "./page-queries.ts";
import { chooseHours, planDay, spanOfDay } from "./plan-day.ts";
import { planGaps } from "./plan-gaps.ts";
import { camerasInStep, planStart } from "./plan-player.ts";
import { offerToSave, planSave } from "./plan-save.ts";
import { renderPage } from "./render-page.ts";
import { VideoPage } from "./video.page.tsx";

export interface PageServices {
  videos: VideoService;
  nodes: NodeService;
  gaps: GapFinder;
  health: HealthService;
  edgeFootage: EdgeFootage;
  remote: Pick<RemoteNodes, "stateOf">;
}

/** The description of the API leaves the pages out. */
const isPage = describeRoute({ hide: true });
/** How many days with video the calendar reaches back. */
const maxCalendarDays = 1_000;
/** As many as a ZIP may have clips, with the page's own. */
const maxOtherCameras = 63;

/** The pages for people. They ask the same verbs as the API and know nothing of what lies behind them. */
export function createPages(deps: PageServices & { clock: Clock; assets: Assets }) {
  const { videos, gaps, nodes, health, remote, edgeFootage, clock, assets } = deps;
  const pageOf = (c: Context<AppEnv>) => pageContextOf(c, { nowMs: clock.wallMs(), assets });

  return new Hono<AppEnv>()
    .get("/", allow("page"), async (c) => {
      const cameras = await nodes.cameras();
      return c.html(renderPage(<CamerasPage page={pageOf(c)} cameras={cameras} linkOf={remote.stateOf} />));
    })
    .get(
      "/cameras/:id",
      allow("page"),
      isPage,
      validParam(v.object({ id: CameraId })),
      validQuery(
        v.object({
          date: v.optional(CalendarDay),
          hour: v.optional(HourIndex),
          at: v.optional(Moment),
          with: v.optional(OtherCameras),
        }),
      ),
      async (c) => {
        const camera = await nodes.findCamera(c.req.valid("param").id);
        const days = await videos.days(camera.cameraId, maxCalendarDays);
        const { date, hour, at, with: beside = [] } = c.req.valid("query");
        const nowMs = clock.wallMs();
        const dayAsked = at === undefined ? date : localDateOf(at, camera.timeZone);
        const day = dayAsked ?? days[0] ?? localDateOf(nowMs, camera.timeZone);
        const span = spanOfDay(day, camera.timeZone);
        // First: what comes into the archive meanwhile is in both, and not in neither.
        const onEdge = await edgeFootage.list(camera.cameraId, span);
        const found = await loadCameraDay(videos, camera.cameraId, span);
        const told = await loadDayGaps(gaps, camera.cameraId, span);
        const notArchived = withoutArchived(onEdge, found.videos);
        const oldestDay = days.at(-1) ?? (notArchived.videos.length > 0 ? day : undefined);
        const plan = planDay({ day: span, videos: found.videos, nowMs });
        const model = {
          camera,
          link: remote.stateOf(camera.nodeId),
          day,
          days,
          plan,
          gaps: planGaps(plan, told.gaps),
          gapsCutAt: told.isCut ? maxGapsPerDay : undefined,
          onEdge: notArchived,
          shownHours: chooseHours(plan, hour),
          save: offerToSave(plan, camera.timeZone),
          otherCameras: (await nodes.cameras()).filter(({ cameraId }) => cameraId !== camera.cameraId),
          videoCount: found.videos.length,
          cutAt: found.isCut ? maxVideosPerDay : undefined,
          player:
            oldestDay === undefined
              ? undefined
              : {
                  ...camerasInStep(camera, beside, await nodes.cameras()),
                  timeZone: camera.timeZone,
                  day: span,
                  firstMs: spanOfDay(oldestDay, camera.timeZone).fromMs,
                  atMs: planStart({
                    askedMs: at,
                    day: span,
                    isNewestDay: day === days[0],
                    videos: found.videos,
                    onEdge: notArchived.videos,
                  }),
                  fps: found.videos[0]?.fps ?? 25,
                },
        };
        return c.html(renderPage(<CameraDayPage page={pageOf(c)} model={model} />));
      },
    )
    .get("/cameras/:id/live", allow("page"), isPage, validParam(v.object({ id: CameraId })), async (c) => {
      const camera = await nodes.findCamera(c.req.valid("param").id);
      const link = remote.stateOf(camera.nodeId);
      return c.html(renderPage(<LivePage page={pageOf(c)} camera={camera} link={link} />));
    })
    .get(
      "/cameras/:id/save",
      allow("page"),
      isPage,
      validParam(v.object({ id: CameraId })),
      validQuery(
        v.strictObject({
          ...{ date: CalendarDay, from: TimeOfDay, to: TimeOfDay, as: SaveAs },
          camera: v.optional(listOf(CameraId, maxOtherCameras), []),
        }),
      ),
      async (c) => {
        const { cameraId, timeZone } = await nodes.findCamera(c.req.valid("param").id);
        const { date, from, to, as, camera: others } = c.req.valid("query");
        const span = planSave({ day: date, from, to }, timeZone);
        const range = new URLSearchParams({
          from: formatWireTime(span.fromMs),
          to: formatWireTime(span.toMs),
        });
        const cameras = [...new Set([cameraId, ...others])].join();
        const zip = as === "clip" ? "clips.zip" : "evidence.zip";
        const path =
          as === "clip" && cameras === cameraId
            ? `/api/cameras/${cameraId}/clip.mp4?`
            : `/api/${zip}?camera_id=${cameras}&`;
        return c.redirect(`${path}${range}`, 303);
      },
    )
    .get("/videos/:id", allow("page"), isPage, validParam(v.object({ id: VideoId })), async (c) => {
      const video = await videos.find(c.req.valid("param").id);
      const { previous, next } = await videos.neighbours(video);
      const cameraName = await nodes.findCamera(video.cameraId).then(
        (camera) => camera.name,
        (error: unknown) => {
          // A video may outlive the registration of its camera.
          if (errorCodeOf(error) === "not_found") return video.cameraId;
          throw error;
        },
      );
      return c.html(renderPage(<VideoPage page={pageOf(c)} model={{ video, cameraName, previous, next }} />));
    })
    .get("/nodes", allow("page"), async (c) => {
      return c.html(
        renderPage(<NodesPage page={pageOf(c)} nodes={await nodes.list()} linkOf={remote.stateOf} />),
      );
    })
    .get("/health", allow("page"), async (c) => {
      return c.html(renderPage(<HealthPage page={pageOf(c)} status={await health.status()} />));
    })
    .get("/account", allow("page"), (c) => c.html(renderPage(<AccountPage page={pageOf(c)} />)))
    .get(
      "/language",
      allow("page"),
      isPage,
      validQuery(v.object({ to: v.picklist(languages), next: v.optional(LocalPath, "/") })),
      (c) => {
        const { to, next } = c.req.valid("query");
        c.header("Set-Cookie", languageCookie(to));
        return c.redirect(next, 303);
      },
    );
}
