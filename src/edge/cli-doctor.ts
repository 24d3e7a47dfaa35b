import { selfCommand } from "../common/child-process.ts";
import { systemClock } from "../common/clock.ts";
import { describeError, errorCodeOf } from "../common/errors.ts";
import { createLogger } from "../common/log.ts";
import type { EdgeStatus } from "../common/protocol/control.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { versionText } from "../common/version.ts";
import { createCapturePlanner } from "./camera/capture-planner.ts";
import { detectPiModel } from "./camera/pi-model.ts";
import { captureForTest } from "./camera/test-capture.ts";
import type { CameraConfig, EdgeConfig } from "./config.ts";
import { type EdgeSecrets, readEdgeSecrets } from "./config-secrets.ts";
import { ConfigStore } from "./config-store.ts";
import { ControlClient } from "./control/control-client.ts";
import { type Archive, checkArchive } from "./doctor/check-archive.ts";
import { type CameraFacts, checkCamera } from "./doctor/check-camera.ts";
import { checkClock } from "./doctor/check-clock.ts";
import { checkFfmpeg } from "./doctor/check-ffmpeg.ts";
import { checkHub, type HubFacts } from "./doctor/check-hub.ts";
import { checkPower, checkRpicam } from "./doctor/check-pi.ts";
import { checkSpool } from "./doctor/check-spool.ts";
import { type Finding, fail, formatFinding, ok, warn } from "./doctor/finding.ts";
import { measureDisk } from "./doctor/measure-disk.ts";
import { programOutput } from "./doctor/program-output.ts";
import { probeClockSync } from "./health/clock-sync-probe.ts";
import { HubClient } from "./hub-link/hub-client.ts";
import { registrationOf } from "./registration.ts";
import { bookkeepingBytesOf } from "./spool/disk-space.ts";
import { WorkerDestination } from "./uploader/worker-destination.ts";

export interface DoctorOptions {
  config: string;
  json?: boolean;
  env: Readonly<Record<string, string | undefined>>;
  /** Of the program, which starts itself again to look at the archive. */
  entryFile: string;
  out: TextSink;
}

const captureMs = 3000;
const captureStartMs = 20_000;
/** People wait for it. */
const archiveMs = 20_000;
/** Where a camera neither says nor shows what it brings. */
const usualBitrateBps = 4_000_000;

/**
 * Looks at everything a recording needs, and says of each how it is and what to do. Runs beside an edge: cameras that
 * it has are judged by what it says of them. Throws `invalid_config`. Resolves to the exit code: 1 when anything fails.
 */
export async function runDoctor({ config: path, json, env, entryFile, out }: DoctorOptions): Promise<number> {
  const store = await ConfigStore.load(path);
  const { config } = store;
  const secrets = await readEdgeSecrets(config, env);
  const findings: Finding[] = [];
  const say = (...found: Finding[]) => {
    findings.push(...found);
    if (!json) for (const finding of found) out.write(formatFinding(finding));
  };

  const running = await runningEdge(config);
  say(checkRunning(running, store));
  say(
    await checkFfmpeg(
      config.cameras.map(({ source }) => source),
      programOutput,
    ),
  );
  if (config.cameras.some(({ source }) => source.type === "rpicam")) say(await checkRpicam(programOutput));
  const power = await checkPower(programOutput);
  if (power) say(power);

  const hub = await lookAtHub(store, secrets, running);
  const { wallMs } = systemClock;
  say(
    checkClock({
      ...{ wallMs: wallMs(), source: config.system.clock, isSynced: (await probeClockSync())?.isSynced },
      hubWallMs: hub.serverTimeMs,
    }),
  );

  const bitratesBps = await Promise.all(
    config.cameras.map(async (camera) => {
      const facts = factsOf(camera, running) ?? (await tryCamera(camera, secrets));
      say(checkCamera(camera, facts));
      return facts.bitrateBps ?? ("bitrate" in camera.source ? camera.source.bitrate : usualBitrateBps);
    }),
  );
  say(
    ...(await lookAtSpool(
      config,
      bitratesBps.reduce((sum, bitrateBps) => sum + bitrateBps, 0),
    )),
  );

  say(hub.finding);
  {
    await using destination = new WorkerDestination({
      command: [...selfCommand(entryFile), "archive-worker"],
      destination: config.upload.destination,
      runFolder: config.system.run_path,
      stallMs: Math.min(archiveMs, config.upload.stall_seconds * 1000),
      logger: createLogger("doctor"),
    });
    say(...(await checkArchive(archiveBeside(destination, config, running), hub.archiveId)));
  }

  const isFit = findings.every(({ verdict }) => verdict !== "fail");
  const count = (verdict: Finding["verdict"]) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  if (json) out.write(`${JSON.stringify({ ok: isFit, findings }, null, 2)}\n`);
  else out.write(`\n${count("ok")} ok, ${count("warn")} to look at, ${count("fail")} failed\n`);
  return isFit ? 0 : 1;
}

/** What the edge on the config's socket says; undefined when none answers there. */
async function runningEdge({ system }: EdgeConfig): Promise<EdgeStatus | undefined> {
  if (system.control_socket === null) return undefined;
  try {
    return await new ControlClient(system.control_socket).status();
  } catch {
    return undefined;
  }
}

function checkRunning(running: EdgeStatus | undefined, store: ConfigStore): Finding {
  const check = "edge";
  if (!running) return ok(check, `none runs with this config (${store.version}); the cameras are tried here`);
  const since = `${running.node_id} runs since ${running.started_at}`;
  if (running.config_version === store.version)
    return ok(check, `${since} with this config (${store.version})`);
  const message = `${since} with config ${running.config_version}; this file is ${store.version}`;
  return warn(check, message, "restart it to put the file in force: sudo systemctl restart livecam-edge");
}

/** Of a camera that the running edge has. */
function factsOf({ id }: CameraConfig, running: EdgeStatus | undefined): CameraFacts | undefined {
  const status = running?.cameras.find(({ camera_id }) => camera_id === id);
  if (!status) return undefined;
  const { state, message, fps, bitrate_bps, width, height, codec } = status;
  const isFine = state === "recording" || state === "paused";
  return {
    error: isFine ? undefined : `the running edge says: ${state}${message === null ? "" : `, ${message}`}`,
    seenBy: "running edge",
    fragments: 0,
    fps: fps ?? undefined,
    bitrateBps: bitrate_bps ?? undefined,
    isPaused: state === "paused",
    picture: `${width ?? "?"}x${height ?? "?"} ${codec ?? ""}`,
    pace: undefined,
  };
}

async function tryCamera({ id, source }: CameraConfig, secrets: EdgeSecrets): Promise<CameraFacts> {
  const credentials = secrets.cameraCredentials.get(id);
  const piModel = await detectPiModel();
  const planner = createCapturePlanner({
    cameraId: id,
    source,
    piModel,
    ...(credentials && { credentials }),
  });
  const limits = { durationMs: captureMs, startMs: captureStartMs };
  const { width, height, codec, ...seen } = await captureForTest({ planner, clock: systemClock, ...limits });
  return { ...seen, seenBy: "test capture", picture: `${width ?? "?"}x${height ?? "?"} ${codec ?? ""}` };
}

async function lookAtSpool({ system }: EdgeConfig, bitrateBps: number): Promise<Finding[]> {
  const spoolPath = system.spool_path;
  try {
    const disk = await measureDisk(spoolPath, systemClock);
    const roomBytes = disk.freeBytes - bookkeepingBytesOf(disk.totalBytes);
    return checkSpool({ ...disk, spoolPath, roomBytes, bitrateBps });
  } catch (error) {
    return [
      fail("spool disk", `cannot look at ${spoolPath}: ${describeError(error)}`, "see system.spool_path"),
    ];
  }
}

async function lookAtHub(
  store: ConfigStore,
  { hubApiKey }: EdgeSecrets,
  running: EdgeStatus | undefined,
): Promise<HubFacts> {
  const { config } = store;
  const hubUrl = config.network.hub_url;
  const timeZone = config.system.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const registration = registrationOf({
    ...{ config, configVersion: store.version, softwareVersion: versionText, timeZone },
  });
  const hub = new HubClient({ hubUrl, apiKey: hubApiKey });
  // Never over the head of a running edge whose config is another one.
  if (running && running.config_version !== store.version) {
    const { registered, last_error } = running.hub;
    const archiveId = running.archive.archive_id ?? undefined;
    const finding =
      registered && last_error === null
        ? ok("hub", `the running edge reaches ${running.hub.url}`)
        : fail(
            "hub",
            `the running edge says of ${running.hub.url}: ${last_error ?? "not yet reached"}`,
            "see there",
          );
    return { finding, archiveId, serverTimeMs: undefined };
  }
  return checkHub(hubUrl, () => hub.register(registration));
}

/** A mount that the running edge has made must stay: it is asked then, and what it uploads shows whether it can write. */
function archiveBeside(
  destination: Archive,
  { upload, system }: EdgeConfig,
  running: EdgeStatus | undefined,
): Archive {
  const { destination: place } = upload;
  const isOurs = place.type === "path" || ("mode" in place && place.mode === "client");
  const socket = system.control_socket;
  if (isOurs || !running || socket === null) return destination;
  return {
    async check() {
      try {
        const report = await new ControlClient(socket).checkArchive();
        if (!report.ok) return report;
        return { ok: true, archiveId: report.archive_id, freeBytes: report.free_bytes ?? undefined };
      } catch (error) {
        return { ok: false, reason: `${describeError(error)} (${errorCodeOf(error)})` };
      }
    },
  };
}
