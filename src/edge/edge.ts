import { join } from "node:path";
import { selfCommand } from "../common/child-process.ts";
import { sleep, systemClock } from "../common/clock.ts";
import { aborted, abortOnSignals } from "../common/lifecycle.ts";
import { configureLogging, createLogger, errorFields, type LogLevel } from "../common/log.ts";
import { versionText } from "../common/version.ts";
import type { Wakeup } from "../common/wakeup.ts";
import { applyReload, linkTargetOf, withCredentials } from "./apply-reload.ts";
import { detectPiModel } from "./camera/pi-model.ts";
import { Cameras } from "./cameras.ts";
import { readEdgeSecrets } from "./config-secrets.ts";
import { ConfigStore } from "./config-store.ts";
import { createControlApp } from "./control/control-app.ts";
import { serveControl } from "./control/control-server.ts";
import { EdgeNode } from "./edge-node.ts";
import { AlertWatch } from "./health/alert-watch.ts";
import { readBoot } from "./health/boot.ts";
import { ClockWatch } from "./health/clock-watch.ts";
import { ErrorCounts } from "./health/error-counts.ts";
import { runProgramPageRelease } from "./health/program-pages.ts";
import { SystemInfoReader } from "./health/system-info.ts";
import { ThrottlingReader } from "./health/throttling.ts";
import { alertThresholdsOf } from "./health-config.ts";
import { Announcer } from "./hub-link/announcer.ts";
import { GapReporter } from "./hub-link/gap-reporter.ts";
import { Heartbeat } from "./hub-link/heartbeat.ts";
import { HubClient } from "./hub-link/hub-client.ts";
import { HubLink } from "./hub-link/hub-link.ts";
import { createLinkCommands } from "./hub-link/link-commands.ts";
import { Reconciler } from "./hub-link/reconciler.ts";
import { MetricsEndpoint } from "./metrics-endpoint.ts";
import { reloadWhenAsked } from "./reload/reload-triggers.ts";
import { Reloader } from "./reload/reloader.ts";
import { Spool } from "./spool/spool.ts";
import { openUploads, untilDelivered } from "./uploads.ts";

export interface RunEdgeOptions {
  configPath: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Of the program, which starts itself again as upload worker. */
  entryFile: string;
  /** Woken by SIGHUP: the config is to be read again. */
  hangup: Wakeup;
}

/** What the last segments get to reach archive and hub, once the cameras have stopped. */
const deliverMs = 5000;
/** After that, what still does not end is not waited for. */
const abandonMs = 2000;

/** The edge, from its config to its end: reads as the data flows. Resolves to the exit code. */
export async function runEdge({ configPath, env, entryFile, hangup }: RunEdgeOptions): Promise<number> {
  const store = await ConfigStore.load(configPath);
  const { config } = store;
  const secrets = await readEdgeSecrets(config, env);
  const clock = systemClock;
  const timeZone = config.system.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const softwareVersion = versionText;
  const nodeId = config.node_id;

  const errorCounts = new ErrorCounts();
  const setLogLevel = (level: LogLevel) =>
    configureLogging({
      level,
      readable: process.stderr.isTTY,
      onError: (module) => errorCounts.add(module),
    });
  setLogLevel(config.system.log_level);
  // A log that nobody reads any more must not end the recording.
  process.stderr.on("error", () => undefined);
  const logger = createLogger("edge");

  const clockWatch = new ClockWatch({ clock, source: config.system.clock, logger: createLogger("clock") });
  const [boot] = await Promise.all([readBoot(clock), clockWatch.check()]);

  await using stack = new AsyncDisposableStack();
  const spool = stack.use(
    await Spool.open({
      root: config.system.spool_path,
      fsyncIntervalMs: () => store.config.recording.fsync_interval_ms,
      maxAcknowledgedBytes: () => store.config.system.spool_max_bytes,
      defaults: { nodeId, timeZone, softwareVersion },
      clock,
      logger: createLogger("spool"),
      dating: boot && {
        boot,
        clockSync: () => clockWatch.state(),
        holdMs: () => store.config.recording.unsynced_hold_seconds * 1000,
      },
      pressure: {
        whenFull: () => store.config.system.spool_when_full,
        bytesPerSecond: () => cameras.bytesPerSecond(),
        compress: (isCompressed) => cameras.compress(isCompressed),
        isUploading: (videoId) => uploader.isUploading(videoId),
      },
    }),
  );
  const signal = abortOnSignals((name) => logger.info("stopping", { signal: name }));

  const cameras = new Cameras({
    ...{ nodeId, timeZone, softwareVersion, spool, clock },
    piModel: await detectPiModel(),
    clockSync: () => clockWatch.state(),
    segmentSeconds: () => store.config.recording.segment_seconds,
    stallMs: () => store.config.recording.stall_seconds * 1000,
    fallbackAfterFailures: () => store.config.recording.fallback_after_failures,
  });

  const workerCommand = [...selfCommand(entryFile), "archive-worker"];
  const { uploader, destination, openDestination } = openUploads({
    ...{ store, spool, timeZone, clock, workerCommand },
  });
  stack.use(destination);

  const hub = new HubClient({ hubUrl: config.network.hub_url, apiKey: secrets.hubApiKey });
  const announcer = new Announcer({
    ...{ hub, clock, queue: spool.announcements },
    logger: createLogger("announcer"),
  });
  const gapReporter = new GapReporter({
    ...{ nodeId, hub, clock, queue: spool.gapReports },
    logger: createLogger("gaps"),
  });
  const reconciler = new Reconciler({
    ...{ nodeId, hub, clock, journal: spool.journal },
    logger: createLogger("reconciler"),
  });
  const heartbeat: Heartbeat = new Heartbeat({
    nodeId,
    hub,
    registration: () => node.registration(),
    collect: () => node.report(),
    onTold: ({ alerts: told = [] }) => alerts.heard(told),
    onBack: () => link.hubIsBack(),
    onArchiveId: (archiveId) => spool.state.setArchiveId(archiveId),
    intervalMs: () => store.config.network.heartbeat_seconds * 1000,
    clock,
    logger: createLogger("heartbeat"),
  });
  const reloader: Reloader = new Reloader({
    ...{ store, secrets, env },
    apply: (plan, next) =>
      applyReload(plan, next, {
        ...{ cameras, destination, openDestination, uploader, hub, heartbeat, link, metrics, setLogLevel },
      }),
    logger: createLogger("config"),
  });
  const alerts = await AlertWatch.open({
    path: join(config.system.spool_path, "alerts.json"),
    thresholds: () => alertThresholdsOf(store.config),
    facts: () => node.alertFacts(),
    onChange: () => heartbeat.beatSoon(),
    ...{ clock, logger: createLogger("alerts") },
  });
  const throttling = new ThrottlingReader({ clock });
  const node: EdgeNode = new EdgeNode({
    ...{ store, reloader, softwareVersion, timeZone, cameras, spool, uploader, destination, clock },
    errorCounts,
    hubStatus: () => heartbeat.status(),
    linkState: () => link.state(),
    system: new SystemInfoReader({
      ...{ spoolPath: config.system.spool_path, clock },
      throttling: () => throttling.read(),
    }),
    clockStatus: () => clockWatch.status(),
    alerts: () => alerts.list(),
  });

  const link = new HubLink({
    ...{
      nodeId,
      clock,
      commands: createLinkCommands(node, () => heartbeat.beatSoon()),
      logger: createLogger("link"),
    },
    about: () => ({ software_version: softwareVersion, config_version: store.version }),
  });
  link.connectTo(linkTargetOf(config, secrets));

  const metrics = stack.use(new MetricsEndpoint({ status: () => node.status(), clock }));

  logger.info("recording", {
    node_id: nodeId,
    cameras: config.cameras.length,
    config_version: store.version,
  });
  cameras.start(config.cameras.map((camera) => withCredentials(camera, secrets)));
  if (config.system.control_socket !== null) {
    const app = createControlApp({ node, logger: createLogger("control") });
    // Recording goes on without it; `status` will say that nobody answers.
    await serveControl(config.system.control_socket, app.fetch).then(
      (server) => stack.use(server),
      (error: unknown) => logger.error("there is no control socket", errorFields(error)),
    );
  }

  await metrics.open(config.health, secrets.metricsToken);

  const background = new AbortController();
  const deliver = async () => {
    await spool
      .load(background.signal)
      .catch((error: unknown) => logger.error("the spool could not be looked through", errorFields(error)));
    reloader.open();
    await Promise.all([
      uploader.run(background.signal),
      announcer.run(background.signal),
      gapReporter.run(background.signal),
      reconciler.run(background.signal),
      spool.upkeep.run(background.signal),
      spool.redating.run(background.signal),
    ]);
  };
  const work = Promise.all([
    spool.gaps.run(background.signal),
    deliver(),
    heartbeat.run(background.signal),
    link.run(background.signal),
    alerts.run(background.signal),
    clockWatch.run(background.signal),
    runProgramPageRelease(createLogger("health"), background.signal),
    reloadWhenAsked(
      {
        ...{ reloader, hangup, logger: createLogger("config") },
        isWatching: () => store.config.system.watch_config,
      },
      background.signal,
    ),
  ]);

  await aborted(signal);
  await Promise.race([reloader.close(), sleep(abandonMs)]);
  await cameras.stop();
  await spool.gaps
    .stopped()
    .catch((error: unknown) => logger.error("gaps cannot be written down", errorFields(error)));
  await untilDelivered(spool, uploader, deliverMs);
  background.abort();
  await Promise.race([work, sleep(abandonMs)]);
  logger.info("stopped", { waiting_segments: spool.status().waiting_segments });
  return 0;
}
