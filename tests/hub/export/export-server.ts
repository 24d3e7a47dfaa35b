import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/common/clock.ts";
import { createLogger } from "../../../src/common/log.ts";
import { createApp } from "../../../src/hub/app.ts";
import type { Gap, Video, VideoQuery, VideoStatus } from "../../../src/hub/db/catalog.ts";
import { createClipRoutes } from "../../../src/hub/export/clip.routes.ts";
import type { Clip } from "../../../src/hub/export/clip.ts";
import { createClipService } from "../../../src/hub/export/clip-service.ts";
import { createClipsZipRoutes } from "../../../src/hub/export/clips-zip.routes.ts";
import { createEvidenceRoutes } from "../../../src/hub/export/evidence.routes.ts";
import { ExportSlots } from "../../../src/hub/export/export-slots.ts";
import { serveApp } from "../../../src/hub/http/serve-app.ts";
import { BoundedTasks } from "../../../src/hub/playback/bounded-tasks.ts";
import { createDirectoryMediaSource } from "../../../src/hub/playback/directory-media-source.ts";
import type { MediaSource } from "../../../src/hub/playback/media-source.ts";
import { writeTestArchiveIdentity } from "../../support/archived-video.ts";

/** The hub's HTTP side with exports alone, over a real server, a real folder, and rows in memory. */
export async function startExportServer({
  wrapMedia = (media) => media,
}: {
  wrapMedia?: (media: MediaSource) => MediaSource;
} = {}) {
  const root = await mkdtemp(join(tmpdir(), "livecam-clips-"));
  await writeTestArchiveIdentity(root);
  const rows = new Map<string, Video>();
  const gaps: Gap[] = [];
  const catalog = {
    async findVideos({ cameraIds, fromMs = 0, toMs = Infinity, statuses, after, limit }: VideoQuery) {
      return [...rows.values()]
        .filter((video) => cameraIds?.includes(video.cameraId) && (statuses?.includes(video.status) ?? true))
        .filter((video) => video.endTimeMs > fromMs && video.startTimeMs < toMs)
        .sort((a, b) => a.startTimeMs - b.startTimeMs)
        .filter((video) => after === undefined || video.startTimeMs > after.startTimeMs)
        .slice(0, limit);
    },
    findGaps: async () => gaps,
    async updateVideoStatus(videoId: string, status: VideoStatus) {
      const row = rows.get(videoId);
      if (row) rows.set(videoId, { ...row, status });
    },
  };
  const media = wrapMedia(createDirectoryMediaSource({ root }));
  const tasks = new BoundedTasks<Clip>({ concurrency: 2, queueLength: 32 });
  const logger = createLogger("test");
  const clips = createClipService({ catalog, media, tasks });
  const slots = new ExportSlots(4);
  const { app } = createApp({
    logger,
    publicOrigin: undefined,
    authenticator: {
      principalOfKey: async (key) => (key === "k" ? { kind: "client", keyId: "k", name: "test" } : undefined),
      principalOfSession: async () => undefined,
    },
    routes: [
      createClipRoutes({ clips, media, slots: new ExportSlots(64), logger }),
      createClipsZipRoutes({
        ...{ catalog, clips, media, logger, slots, clock: systemClock, softwareVersion: "0.1.0-test" },
      }),
      createEvidenceRoutes({
        ...{ catalog, media, logger, slots, clock: systemClock, softwareVersion: "0.1.0-test" },
        archiveId: () => "01997000-0000-4000-8000-000000000000",
      }),
    ],
  });
  const server = serveApp(app, { hostname: "127.0.0.1", port: 0 });
  const port = Number(new URL(server.url).port);
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: "Bearer k", connection: "close", ...headers },
    });

  return {
    ...{ root, rows, gaps, port, get },
    add: (...videos: Video[]) => {
      for (const video of videos) rows.set(video.videoId, video);
    },
    /** Seconds after `startMs`. */
    clip: (startMs: number, from: number, to: number, more = "", headers?: Record<string, string>) => {
      const time = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();
      return get(`/api/cameras/cam01/clip.mp4?from=${time(from)}&to=${time(to)}${more}`, headers);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}
