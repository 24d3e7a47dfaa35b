import type { Hono } from "hono";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import { createApp } from "../../../src/hub/app.ts";
import type { OnEdge } from "../../../src/hub/edge-footage/edge-footage.ts";
import type { SystemStatus } from "../../../src/hub/health/health-service.ts";
import type { AppEnv, Principal } from "../../../src/hub/http/app-env.ts";
import type { NodeLinkState } from "../../../src/hub/link/remote-nodes.ts";
import type { CameraOverview, NodeInfo } from "../../../src/hub/nodes/node-service.ts";
import { createAssetRoutes } from "../../../src/hub/ui/asset.routes.ts";
import { createAssets } from "../../../src/hub/ui/assets.ts";
import type { PageVideo } from "../../../src/hub/ui/page-video.ts";
import { createPages, type PageServices } from "../../../src/hub/ui/pages.routes.tsx";
import type { ToldGap } from "../../../src/hub/ui/plan-gaps.ts";
import { createErrorRenderer } from "../../../src/hub/ui/render-error.tsx";

/** 2025-09-23, 16:00:00 in Seoul. */
export const nowMs = Date.UTC(2025, 8, 23, 7, 0, 0);
const clock = { wallMs: () => nowMs, monotonicMs: () => 0 };

const notLinked = { isConnected: false, sinceMs: undefined, reason: undefined };

export interface PageData {
  /** By node; the others are not linked. */
  links?: Record<string, NodeLinkState>;
  cameras: CameraOverview[];
  nodes: NodeInfo[];
  videos: PageVideo[];
  gaps?: (ToldGap & { cameraId: string })[];
  status: SystemStatus;
  onEdge?: OnEdge;
}

/** The verbs over plain lists: what the pages are given, not how it is found. */
export function fakeServices(data: PageData): PageServices {
  const notFound = () => {
    throw new AppError("not_found", "there is no such thing");
  };
  const unused = () => Promise.reject(new Error("pages do not ask for this"));
  const byStart = () => data.videos.toSorted((a, b) => a.startTimeMs - b.startTimeMs);
  return {
    videos: {
      list: async (query) => {
        const all = byStart().filter(
          (video) =>
            query.cameraIds?.includes(video.cameraId) &&
            video.endTimeMs > (query.fromMs ?? 0) &&
            video.startTimeMs < (query.toMs ?? Number.POSITIVE_INFINITY) &&
            (!query.after || video.startTimeMs > query.after.startTimeMs),
        );
        const videos = all.slice(0, query.limit);
        const last = videos.at(-1);
        return {
          videos,
          next:
            all.length > query.limit && last
              ? { startTimeMs: last.startTimeMs, videoId: last.videoId }
              : undefined,
        };
      },
      search: unused,
      find: async (id) => data.videos.find(({ videoId }) => videoId === id) ?? notFound(),
      neighbours: async ({ cameraId, startTimeMs }) => {
        const same = byStart().filter((video) => video.cameraId === cameraId);
        return {
          previous: same.findLast((video) => video.startTimeMs < startTimeMs),
          next: same.find((video) => video.startTimeMs > startTimeMs),
        };
      },
      days: async (cameraId) => {
        const dayOf = ({ filePath }: PageVideo) => filePath.split("/")[1] ?? "";
        const days = new Set(data.videos.filter((video) => video.cameraId === cameraId).map(dayOf));
        return [...days].sort().reverse();
      },
      streamUrlOf: (id) => `/api/videos/${id}/stream`,
      thumbnailUrlOf: (id) => `/api/videos/${id}/thumbnail`,
    },
    gaps: {
      findGaps: async ({ cameraIds, fromMs, toMs, limit }) =>
        (data.gaps ?? [])
          .filter((gap) => cameraIds.includes(gap.cameraId) && gap.toMs > fromMs && gap.fromMs < toMs)
          .sort((a, b) => a.fromMs - b.fromMs)
          .slice(0, limit)
          .map((gap) => ({ ...gap, missing: [gap] })),
    },
    nodes: {
      register: unused,
      heartbeat: unused,
      list: async () => data.nodes,
      find: async (id) => data.nodes.find(({ nodeId }) => nodeId === id) ?? notFound(),
      cameras: async () => data.cameras,
      findCamera: async (id) => data.cameras.find(({ cameraId }) => cameraId === id) ?? notFound(),
    },
    edgeFootage: {
      list: async () => data.onEdge ?? { videos: [], asOfMs: undefined, isCut: false },
    },
    health: { status: async () => data.status },
    remote: { stateOf: (nodeId) => data.links?.[nodeId] ?? notLinked },
  };
}

const admin: Principal = { kind: "person", userId: 1, name: "ada", role: "admin" };

/** The hub's app with pages alone, for a person who is signed in. */
export function createPageApp(
  data: PageData,
  options: { principal?: Principal; routes?: Hono<AppEnv>[] } = {},
) {
  const assets = createAssets();
  const principal = options.principal ?? admin;
  const { app } = createApp({
    logger: createLogger("test"),
    clock,
    publicOrigin: undefined,
    authenticator: { principalOfKey: async () => undefined, principalOfSession: async () => principal },
    routes: [
      createAssetRoutes(assets),
      createPages({ ...fakeServices(data), clock, assets }),
      ...(options.routes ?? []),
    ],
    renderError: createErrorRenderer({ clock, assets }),
  });
  return {
    app,
    assets,
    get: (path: string, headers: Record<string, string> = {}) =>
      app.request(
        `http://hub.test${path}`,
        { headers: { accept: "text/html", cookie: "livecam_session=x", ...headers } },
        { addressOf: () => undefined },
      ),
  };
}
