import { selfCommand } from "../common/child-process.ts";
import { sleep, systemClock } from "../common/clock.ts";
import { aborted, abortOnSignals } from "../common/lifecycle.ts";
import { configureLogging, createLogger, errorFields, type Logger } from "../common/log.ts";
import { versionText } from "../common/version.ts";
import { Camera } from "./camera/camera.ts";
import { createCapturePlanner } from "./camera/capture-planner.ts";
import type { FallbackOptions } from "./camera/fallback-picture.ts";
import { planFallbackCapture } from "./camera/fallback-source.ts";
import { detectPiModel } from "./camera/pi-model.ts";
import { CameraUnit } from "./camera-unit.ts";
import { setCompressed } from "./compressed-mode.ts";
import { readEdgeSecrets } from "./config-secrets.ts";
import { ConfigStore } from "./config-store.ts";
import { createControlApp } from "./control/control-app.ts";
import { serveControl } from "./control/control-server.ts";
import { EdgeNode } from "./edge-node.ts";
import { readBoot } from "./health/boot.ts";
import { ClockWatch } from "./health/clock-watch.ts";
import { ErrorCounts } from "./health/error-counts.ts";
import { SystemInfoReader } from "./health/system-info.ts";
import { Announcer } from "./hub-link/announcer.ts";
import { GapReporter } from "./hub-link/gap-reporter.ts";
import { Heartbeat } from "./hub-link/heartbeat.ts";
import { HubClient } from "./hub-link/hub-client.ts";
import { Recorder } from "./recorder/recorder.ts";
import { Spool } from "./spool/spool.ts";
import { cronSchedule } from "./uploader/archive-watch.ts";
import { UploadWindows } from "./uploader/upload-windows.ts";
import { Uploader } from "./uploader/uploader.ts";
import { WorkerDestination } from "./uploader/worker-destination.ts";

export interface RunEdgeOptions {
  configPath: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Of the program, which starts itself again as upload worker. */
  entryFile: string;
}

/** What the last segments get to reach archive and hub, once the cameras have stopped. */
const deliverMs = 5000;
/** After that, what still does not end is not waited for. */
const abandonMs = 2000;

/** The edge, from its config to its end: reads as the data flows. Resolves to the exit code. */
export async function runEdge({ configPath, env, entryFile }: RunEdgeOptions): Promise<number> {
  const store = await ConfigStore.load(configPath);
  const { config } = store;
  const secrets = await readEdgeSecrets(config, env);
  const clock = systemClock;
  const timeZone = config.system.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const softwareVersion = versionText;
  const nodeId = config.node_id;

  const errorCounts = new ErrorCounts();
  await configureLogging({
    level: config.system.log_level,
    readable: process.stderr.isTTY,
    onError: (module) => errorCounts.add(module),
  });
  // A log that nobody reads any more must not end the recording.
  process.stderr.on("error", () => undefined);
  const logger = createLogger("edge");

  const clockWatch = new ClockWatch({ clock, source: config.system.clock, logger: createLogger("clock") });
  const [boot] = await Promise.all([readBoot(clock), clockWatch.check()]);

  await using stack = new AsyncDisposableStack();
  const spool = stack.use(
    await Spool.open({
      root: config.system.spool_path,
      fsyncIntervalMs: config.recording.fsync_interval_ms,
      maxAcknowledgedBytes: config.system.spool_max_bytes,
      defaults: { nodeId, timeZone, softwareVersion },
      clock,
      logger: createLogger("spool"),
      dating: boot && {
        boot,
        clockSync: () => clockWatch.state(),
        holdMs: config.recording.unsynced_hold_seconds * 1000,
      },
      pressure: {
        whenFull: config.system.spool_when_full,
        bytesPerSecond: () => cameras.reduce((sum, unit) => sum + (unit.status().bitrate_bps ?? 0), 0) / 8,
        compress: (isCompressed) => setCompressed(isCompressed, cameras, config.cameras, logger),
        isUploading: (videoId) =>
          uploader.list().some((upload) => upload.videoId === videoId && upload.state === "uploading"),
      },
    }),
  );
  const signal = abortOnSignals((name) => logger.info("stopping", { signal: name }));
  process.on("SIGHUP", () => void reportConfigChange(store, logger));

  const piModel = await detectPiModel();
  const afterFailures = config.recording.fallback_after_failures;
  const fallbackOf = (cameraId: string): FallbackOptions | undefined =>
    afterFailures === 0
      ? undefined
      : { afterFailures, plan: (sinceMs) => planFallbackCapture({ cameraId, sinceMs, timeZone }) };
  const cameras: readonly CameraUnit[] = config.cameras.map(({ id: cameraId, source }) => {
    const recorder = new Recorder({
      ...{ cameraId, nodeId, timeZone, softwareVersion, clock },
      segmentSeconds: config.recording.segment_seconds,
      sink: spool.sink,
      clockSync: () => clockWatch.state(),
      logger: createLogger("recorder").with({ camera_id: cameraId }),
    });
    const credentials = secrets.cameraCredentials.get(cameraId);
    const camera = new Camera({
      cameraId,
      planner: createCapturePlanner({ cameraId, source, piModel, ...(credentials && { credentials }) }),
      consumer: recorder,
      clock,
      logger: createLogger("camera").with({ camera_id: cameraId }),
      stallMs: config.recording.stall_seconds * 1000,
      fallback: fallbackOf(cameraId),
    });
    return new CameraUnit(cameraId, camera, recorder, spool.gaps);
  });

  const destination = stack.use(
    new WorkerDestination({
      command: [...selfCommand(entryFile), "archive-worker"],
      destination: config.upload.destination,
      runFolder: config.system.run_path,
      stallMs: config.upload.stall_seconds * 1000,
      maxBytesPerSecond: config.upload.max_bytes_per_second,
      logger: createLogger("uploader"),
    }),
  );
  const uploader = new Uploader({
    queue: spool.uploads,
    destination,
    order: config.upload.order,
    checkSchedule: cronSchedule(config.upload.check_cron, timeZone),
    windows: new UploadWindows(config.upload.windows ?? [], timeZone),
    expectedArchiveId: () => spool.state.archiveId,
    clock,
    logger: createLogger("uploader"),
    graceMs: 0,
  });

  const hub = new HubClient({ hubUrl: config.network.hub_url, apiKey: secrets.hubApiKey });
  const announcer = new Announcer({
    queue: spool.announcements,
    hub,
    clock,
    logger: createLogger("announcer"),
  });
  const gapReporter = new GapReporter({
    ...{ nodeId, hub, clock, queue: spool.gapReports },
    logger: createLogger("gaps"),
  });
  const heartbeat: Heartbeat = new Heartbeat({
    nodeId,
    hub,
    registration: () => node.registration(),
    collect: () => node.report(),
    onArchiveId: (archiveId) => spool.state.setArchiveId(archiveId),
    intervalMs: config.network.heartbeat_seconds * 1000,
    clock,
    logger: createLogger("heartbeat"),
  });
  const node = new EdgeNode({
    ...{ config, softwareVersion, timeZone, cameras, spool, uploader, destination, errorCounts, clock },
    configVersion: store.version,
    hubStatus: () => heartbeat.status(),
    system: new SystemInfoReader({ spoolPath: config.system.spool_path }),
  });

  logger.info("recording", { node_id: nodeId, cameras: cameras.length, config_version: store.version });
  spool.gaps.expect(cameras.map(({ id }) => id));
  for (const camera of cameras) camera.start();
  if (config.system.control_socket !== null) {
    const app = createControlApp({ node, logger: createLogger("control") });
    // Recording goes on without it; `status` will say that nobody answers.
    await serveControl(config.system.control_socket, app.fetch).then(
      (server) => stack.use(server),
      (error: unknown) => logger.error("there is no control socket", errorFields(error)),
    );
  }

  const background = new AbortController();
  const deliver = async () => {
    await spool
      .load(background.signal)
      .catch((error: unknown) => logger.error("the spool could not be looked through", errorFields(error)));
    await Promise.all([
      uploader.run(background.signal),
      announcer.run(background.signal),
      gapReporter.run(background.signal),
      spool.upkeep.run(background.signal),
      spool.redating.run(background.signal),
    ]);
  };
  const work = Promise.all([
    spool.gaps.run(background.signal),
    deliver(),
    heartbeat.run(background.signal),
    clockWatch.run(background.signal),
  ]);

  await aborted(signal);
  await Promise.all(cameras.map((camera) => camera.stop()));
  await spool.gaps
    .stopped()
    .catch((error: unknown) => logger.error("gaps cannot be written down", errorFields(error)));
  await delivered(spool, uploader, deliverMs);
  background.abort();
  await Promise.race([work, sleep(abandonMs)]);
  logger.info("stopped", { waiting_segments: spool.status().waiting_segments });
  return 0;
}

/** Until everything that may go now is archived, and acknowledged, or `timeoutMs`. */
async function delivered(spool: Spool, uploader: Uploader, timeoutMs: number): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  const areUploadsDone = () => spool.uploads.waiting().length === 0 || !uploader.mayUpload;
  const isDone = () => areUploadsDone() && spool.announcements.pending().length === 0;
  while (!isDone() && systemClock.monotonicMs() < deadlineMs) await sleep(20);
}

async function reportConfigChange(store: ConfigStore, logger: Logger): Promise<void> {
  try {
    const sections = await store.changedSections();
    if (sections.length > 0) logger.warning("the config has changed; restart to apply it", { sections });
    else logger.info("the config has not changed");
  } catch (error) {
    logger.error("the changed config is refused, the old one stays in force", errorFields(error));
  }
}
