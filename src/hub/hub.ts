import { type Clock, systemClock } from "../common/clock.ts";
import { newUuidV7 } from "../common/ids.ts";
import { createLogger, errorFields, type Logger } from "../common/log.ts";
import { versionText } from "../common/version.ts";
import { createAlertRoutes } from "./alerts/alerts.routes.ts";
import { runSilenceWatch } from "./alerts/silence-watch.ts";
import { createAlertService } from "./alerts/stored-alert-service.ts";
import { createApp } from "./app.ts";
import { ArchiveWatch } from "./archive/archive-watch.ts";
import { createChildArchiveProbe } from "./archive/child-archive-probe.ts";
import { openArchiveAccess } from "./archive-access.ts";
import { createAuthRoutes } from "./auth/auth.routes.ts";
import { principalOfRequest } from "./auth/authentication.ts";
import { Passwords } from "./auth/passwords.ts";
import { rememberPrincipals } from "./auth/recent-principals.ts";
import { isSameOrigin } from "./auth/same-origin.ts";
import { SignIn } from "./auth/sign-in.ts";
import { createAuthenticator } from "./auth/store-authenticator.ts";
import type { HubConfig } from "./config.ts";
import { createEdgeStreamRoutes } from "./edge-footage/edge-stream.routes.ts";
import { createOnEdgeRoutes } from "./edge-footage/on-edge.routes.ts";
import { openEdgeFootage } from "./edge-footage/open-edge-footage.ts";
import { createClipRoutes } from "./export/clip.routes.ts";
import type { Clip } from "./export/clip.ts";
import { createClipService } from "./export/clip-service.ts";
import { createClipsZipRoutes } from "./export/clips-zip.routes.ts";
import { createEvidenceRoutes } from "./export/evidence.routes.ts";
import { ExportSlots } from "./export/export-slots.ts";
import { warmUpClips } from "./export/warm-up-clips.ts";
import { createHealthRoutes } from "./health/health.routes.ts";
import { HubMetrics } from "./health/hub-metrics.ts";
import { createMetricsRoutes } from "./health/metrics.routes.ts";
import { createHealthService } from "./health/system-health-service.ts";
import { createCursorCodec } from "./http/cursor.ts";
import type { KnownRoute } from "./http/known-routes.ts";
import { serveApp } from "./http/serve-app.ts";
import { createBookmarkRoutes } from "./ingest/bookmark.routes.ts";
import { createGapReportRoutes } from "./ingest/gap-reports.routes.ts";
import { createIngestRoutes } from "./ingest/ingest.routes.ts";
import { createCameraCommandRoutes } from "./link/camera-commands.routes.ts";
import { createLinkRoutes } from "./link/link.routes.ts";
import { createNodeCommandRoutes } from "./link/node-commands.routes.ts";
import { createLiveHlsRoutes } from "./live/hls/live-hls.routes.ts";
import { LiveRings } from "./live/hls/live-rings.ts";
import { createLiveRoutes } from "./live/live.routes.ts";
import { openNodeAccess } from "./node-access.ts";
import { createNodeService } from "./nodes/catalog-node-service.ts";
import { createNodeRoutes } from "./nodes/nodes.routes.ts";
import { BoundedTasks } from "./playback/bounded-tasks.ts";
import { createPictures } from "./playback/create-pictures.ts";
import { createCameraPlaylists } from "./playback/hls/camera-playlists.ts";
import { createHlsRoutes } from "./playback/hls/hls.routes.ts";
import { MediaIndexes } from "./playback/hls/media-indexes.ts";
import { PlayableParts } from "./playback/hls/playable-parts.ts";
import { createPreviewRoutes } from "./playback/previews/previews.routes.ts";
import { openTranscoding } from "./playback/qualities/open-transcoding.ts";
import { createQualityRoutes } from "./playback/qualities/qualities.routes.ts";
import { createRecentVideos } from "./playback/recent-videos.ts";
import { createRecordedBytes } from "./playback/recorded-bytes.ts";
import { runSecondLooks } from "./playback/second-looks.ts";
import { createStreamRoutes } from "./playback/stream.routes.ts";
import { createThumbnailRoutes } from "./playback/thumbnail.routes.ts";
import { openOwnStorage } from "./storage.ts";
import { createCameraTimelines } from "./timeline/camera-timeline.ts";
import { createTimelineRoutes } from "./timeline/timeline.routes.ts";
import { createAssetRoutes } from "./ui/asset.routes.ts";
import { createAssets } from "./ui/assets.ts";
import { createCameraForms } from "./ui/camera-forms.routes.ts";
import { createEdgeVideoPages } from "./ui/edge-video.routes.tsx";
import { createPages } from "./ui/pages.routes.tsx";
import { createErrorRenderer } from "./ui/render-error.tsx";
import { createLoginRenderer } from "./ui/render-login.tsx";
import { createVideoService } from "./videos/catalog-video-service.ts";
import { createGapRoutes } from "./videos/gaps.routes.ts";
import { createVideoRoutes } from "./videos/videos.routes.ts";

export interface HubOptions {
  config: HubConfig;
  /** How this program starts itself again. */
  selfCommand: readonly string[];
  clock?: Clock;
  /** While others need the machine, nothing is made in the background; left out, its load says so. */
  isMachineBusy?: (() => boolean) | undefined;
  /** Errors logged since the start, by module. */
  errorCounts?: ReadonlyMap<string, number>;
}

export interface Hub extends AsyncDisposable {
  /** `http://127.0.0.1:8080`, with the port that was really taken. */
  url: string;
  /** Nobody can sign in yet. */
  hasNoUser: boolean;
  routes: readonly KnownRoute[];
}

/** The whole hub, from the bottom up. Throws `io` or `already_running` with a message for the console. */
export async function openHub(options: HubOptions): Promise<Hub> {
  const { config, selfCommand, clock = systemClock, errorCounts = new Map() } = options;
  await using stack = new AsyncDisposableStack();
  const logger: Logger = createLogger("hub");

  const storage = stack.use(await openOwnStorage(config.data_path, clock));
  const { catalog, settings, migration } = storage;
  if (migration.applied.length > 0) logger.info("schema brought up to date", { applied: migration.applied });
  if (migration.newer > 0)
    logger.warn("the catalog was used by a newer release", { unknown: migration.newer });

  const { authenticator, accounts } = rememberPrincipals({
    authenticator: createAuthenticator({ keys: storage.keys, sessions: storage.sessions, clock }),
    accounts: storage,
    clock,
  });

  const probe = createChildArchiveProbe({ selfCommand, root: config.archive_path });
  const archive = new ArchiveWatch({
    probe,
    settings,
    clock,
    logger: createLogger("archive"),
    newArchiveId: () => newUuidV7(clock.wallMs()),
  });
  await archive.load();

  const videos = createVideoService({ catalog });
  const alerts = createAlertService({ store: storage.alerts, clock });
  const nodes = createNodeService({
    catalog,
    alerts,
    clock,
    heartbeatIntervalSeconds: config.heartbeat_seconds,
    archiveId: () => archive.archiveId ?? null,
  });
  const health = createHealthService({
    catalog,
    nodes,
    archive: () => archive.status,
    dataPath: config.data_path,
    clock,
  });

  const { links, live, remote, nodeOfCamera } = openNodeAccess({ config, nodes, clock });
  const onEdge = openEdgeFootage({
    ...{ links, nodeOfCamera, clock, logger: createLogger("edge-footage") },
    isKnown: async (videoId) => (await catalog.findVideo(videoId)) !== undefined,
  });

  const stop = new AbortController();
  const isArchiveThere = () => archive.status.state !== "down";
  const { media, pictureStore, mayHang } = stack.use(
    openArchiveAccess({
      ...{ config, selfCommand, clock, logger: createLogger("media") },
      archiveId: () => archive.archiveId,
    }),
  );
  const pictures = createPictures({
    ...{ mode: config.previews, catalog, media, store: pictureStore, clock, signal: stop.signal },
    isArchiveThere,
    isMachineBusy: options.isMachineBusy,
  });
  const clips = createClipService({
    catalog,
    media,
    tasks: new BoundedTasks<Clip>({ concurrency: 2, queueLength: 32 }),
  });
  const [clipSlots, zipSlots] = [new ExportSlots(64), new ExportSlots(4)];
  const cameras = {
    newestVideoOf: async (cameraId: string) => (await nodes.findCamera(cameraId)).newestVideo,
  };

  const recentVideos = createRecentVideos(catalog, clock);
  const indexes = new MediaIndexes(media);
  const parts = new PlayableParts({ videos: catalog, media, indexes });
  const recordedBytes = createRecordedBytes({ videos: recentVideos, media, indexes });
  const transcoded = await openTranscoding({
    ...{ config, media, parts, clock, logger: createLogger("transcoding") },
  });
  const metrics = new HubMetrics({
    ...{ health, previews: pictures.previewCounts, clock },
    transcoding: () => transcoded?.figures,
    running: () => ({ liveViews: live.viewerCount, exports: clipSlots.taken + zipSlots.taken }),
    errorCounts: () => errorCounts,
  });
  const playlists = createCameraPlaylists({
    ...{ catalog, parts, clock },
    findOnEdge: onEdge.findOnEdge,
    canTranscode: async () => (await transcoded?.isAvailable()) ?? false,
  });

  const assets = createAssets();
  const publicOrigin = config.public_url;
  const cursors = createCursorCodec(await settings.getOrSet("cursor_secret", crypto.randomUUID()));
  const signIn = new SignIn({
    users: accounts.users,
    sessions: accounts.sessions,
    passwords: new Passwords(),
    clock,
    sessionHours: config.session_hours,
  });
  const { app, routes } = createApp({
    logger: createLogger("http"),
    clock,
    authenticator,
    publicOrigin,
    routes: [
      createVideoRoutes({ videos, cursors }),
      createIngestRoutes({
        ...{ catalog, clock, logger: createLogger("ingest") },
        onStored: pictures.announced,
      }),
      createGapReportRoutes({ catalog, clock }),
      createBookmarkRoutes({ catalog }),
      createGapRoutes({ gaps: catalog, cursors }),
      createNodeRoutes({ nodes, linkOf: remote.stateOf }),
      createAlertRoutes({ alerts, cursors }),
      createLinkRoutes({ links, principalOfKey: authenticator.principalOfKey }),
      createCameraCommandRoutes({ remote }),
      createNodeCommandRoutes({ remote }),
      createOnEdgeRoutes(onEdge),
      createEdgeStreamRoutes({
        files: onEdge.files,
        findArchived: recordedBytes.find,
        logger: createLogger("edge-footage"),
      }),
      createLiveRoutes({
        cameras: live,
        checkCamera: async (cameraId) => void (await nodeOfCamera(cameraId)),
        principalOf: (request) => principalOfRequest(authenticator, request),
        isOwnPage: (request) => isSameOrigin(request, publicOrigin),
        clock,
        logger: createLogger("live"),
      }),
      createLiveHlsRoutes({ rings: new LiveRings({ cameras: live, clock }) }),
      createHealthRoutes({ health }),
      createMetricsRoutes({ metrics }),
      createStreamRoutes({ videos: recentVideos, media, parts }),
      createClipRoutes({ clips, media, slots: clipSlots, logger: createLogger("export") }),
      createClipsZipRoutes({
        ...{ catalog, clips, media, clock, logger: createLogger("export"), softwareVersion: versionText },
        slots: zipSlots,
      }),
      createHlsRoutes({ playlists, isTranscoding: transcoded !== undefined }),
      createQualityRoutes({ videos: recentVideos, transcoded }),
      createTimelineRoutes({
        timelines: createCameraTimelines({
          catalog,
          checkCamera: async (cameraId) => void (await nodeOfCamera(cameraId)),
        }),
      }),
      createEvidenceRoutes({
        ...{ catalog, media, clock, logger: createLogger("export"), softwareVersion: versionText },
        slots: zipSlots,
        archiveId: () => archive.archiveId,
      }),
      createThumbnailRoutes({ videos: catalog, thumbnails: pictures.thumbnails, cameras }),
      createPreviewRoutes({ videos: catalog, previews: pictures.previews }),
      createAuthRoutes({ signIn, publicOrigin, renderLogin: createLoginRenderer({ clock, assets }) }),
      createAssetRoutes(assets),
      createPages({
        videos,
        gaps: catalog,
        nodes,
        health,
        remote,
        edgeFootage: onEdge.footage,
        clock,
        assets,
      }),
      createCameraForms({ remote }),
      createEdgeVideoPages({
        ...{ videos, nodes, clock, assets },
        edgeFootage: onEdge.footage,
        fetchNext: (cameraId, videoId) => onEdge.files.fetchNext(cameraId, videoId),
      }),
    ],
    onAnswered: (answer) => metrics.answered(answer),
    renderError: createErrorRenderer({ clock, assets }),
  });

  const server = stack.use(serveApp(app, config.listen));
  // Before the server, which does not wait for them.
  stack.use(links);
  stack.defer(() => stop.abort());
  void archive.run(stop.signal);
  void pictures.run();
  void runSecondLooks({ catalog, media, isArchiveThere, clock, logger: createLogger("media") }, stop.signal);
  if (!mayHang) {
    warmUpClips({ catalog, media }).catch((error: unknown) =>
      createLogger("export").debug("no clip to begin with", errorFields(error)),
    );
  }
  void runSilenceWatch(
    {
      ...{ nodes: nodes.list, alerts, clock, logger: createLogger("alerts") },
      intervalMs: config.heartbeat_seconds * 1000,
      graceMs: 12 * config.heartbeat_seconds * 1000,
    },
    stop.signal,
  );

  const hasNoUser = (await accounts.users.list()).length === 0;
  const resources = stack.move();
  return { url: server.url, hasNoUser, routes, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
