import { writeFile } from "node:fs/promises";
import { AppError } from "../common/errors.ts";
import type { EdgeStatus, Upload } from "../common/protocol/control.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { formatReload } from "./cli-reload.ts";
import { watch } from "./cli-watch.ts";
import { ConfigStore } from "./config-store.ts";
import { ControlClient } from "./control/control-client.ts";

/** Where a running edge listens: what was said, what its config says, or where it does by default. */
export interface SocketOptions {
  socket?: string;
  config?: string;
}

const defaultWatchSeconds = 2;
const defaultSocket = "/run/livecam/edge.sock";

async function connect({ socket, config }: SocketOptions): Promise<ControlClient> {
  if (socket !== undefined) return new ControlClient(socket);
  if (config === undefined) return new ControlClient(defaultSocket);
  const path = (await ConfigStore.load(config)).config.system.control_socket;
  if (path === null) throw new AppError("unavailable", `${config} says that there is no control socket`);
  return new ControlClient(path);
}

export interface StatusOptions extends SocketOptions {
  json?: boolean;
  /** `true`, or seconds between two looks. */
  watch?: true | number;
}

/** With `watch` until `signal` aborts; JSON then is one line per look. */
export async function runStatus(
  options: StatusOptions,
  out: TextSink,
  signal?: () => AbortSignal,
): Promise<number> {
  const client = await connect(options);
  const read = async () => {
    const status = await client.status();
    return options.json ? `${JSON.stringify(status, null, options.watch ? 0 : 2)}\n` : formatStatus(status);
  };
  if (options.watch === undefined || !signal) {
    out.write(await read());
    return 0;
  }
  const everyMs = 1000 * (options.watch === true ? defaultWatchSeconds : options.watch);
  await watch({ read, out, everyMs, signal: signal() });
  return 0;
}

export async function runUploads(
  options: SocketOptions & { json?: boolean },
  out: TextSink,
): Promise<number> {
  const list = await (await connect(options)).uploads();
  if (options.json) {
    out.write(`${JSON.stringify(list, null, 2)}\n`);
    return 0;
  }
  if (list.total === 0) out.write("nothing waits to be uploaded\n");
  for (const upload of list.uploads) out.write(`${formatUpload(upload)}\n`);
  if (list.total > list.uploads.length) out.write(`… and ${list.total - list.uploads.length} more\n`);
  return 0;
}

export async function runSnapshot(
  cameraId: string,
  options: SocketOptions & { output: string },
  out: TextSink,
): Promise<number> {
  const jpeg = await (await connect(options)).snapshot(cameraId);
  if (options.output === "-") out.write(jpeg as never);
  else await writeFile(options.output, jpeg);
  return 0;
}

/** Throws `invalid_config` with every error when the config is refused. */
export async function runReload(options: SocketOptions & { json?: boolean }, out: TextSink): Promise<number> {
  const report = await (await connect(options)).reload();
  out.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReload(report));
  return 0;
}

export async function runCheckArchive(options: SocketOptions, out: TextSink): Promise<number> {
  const check = await (await connect(options)).checkArchive();
  if (!check.ok) {
    out.write(`the archive cannot be reached: ${check.reason}\n`);
    return 1;
  }
  const free = check.free_bytes === null ? "" : `, ${formatBytes(check.free_bytes)} free`;
  out.write(`archive ${check.archive_id} can be reached${free}\n`);
  return 0;
}

/** Commands that answer nothing when they are done. */
export async function runPost(path: string, options: SocketOptions, body?: unknown): Promise<number> {
  await (await connect(options)).post(path, body);
  return 0;
}

/** Only what is not as it should be. */
function formatConfigState(config: EdgeStatus["config"]): string[] {
  if (!config) return [];
  const { needs_restart, refusal } = config;
  return [
    ...(refusal === null
      ? []
      : [`Config   the changed file is REFUSED, the old one stays in force: ${refusal}`]),
    ...(needs_restart.length === 0 ? [] : [`Config   NEEDS A RESTART for ${needs_restart.join(", ")}`]),
  ];
}

function formatStatus(status: EdgeStatus): string {
  const { spool, hub, archive, system } = status;
  const cameras = status.cameras.map((camera) => {
    const size = camera.width && camera.height ? `${camera.width}x${camera.height}` : "";
    const fps = camera.fps === null ? "" : `${camera.fps.toFixed(1)} fps`;
    const rate = camera.bitrate_bps === null ? "" : `${(camera.bitrate_bps / 1e6).toFixed(2)} Mb/s`;
    const facts = [size, fps, rate, `${camera.restarts} restarts`].filter(Boolean).join(", ");
    const message = camera.message && camera.state !== "recording" ? ` - ${camera.message}` : "";
    return `  ${camera.camera_id.padEnd(12)} ${camera.state.padEnd(10)} ${facts}${message}`;
  });
  const waiting =
    spool.oldest_waiting_at === null
      ? "nothing waits"
      : `${spool.waiting_segments} segments (${formatBytes(spool.waiting_bytes)}) wait since ${spool.oldest_waiting_at}`;
  const errors = Object.entries(status.error_counts).map(([module, count]) => `${module} ${count}`);
  const free = system.spool_free_bytes === null ? "" : `, ${formatBytes(system.spool_free_bytes)} free`;
  const hubState =
    hub.last_error ?? (hub.registered ? `registered, seen ${hub.last_heartbeat_at}` : "not yet reached");
  return `${[
    `Node     ${status.node_id}, livecam-edge ${status.software_version}, config ${status.config_version}`,
    ...formatConfigState(status.config),
    `Since    ${status.started_at}`,
    `Machine  ${formatMachine(system)}`,
    "Cameras",
    ...cameras,
    `Uploads  ${waiting}${formatProgress(status.uploads)}; ${spool.unacknowledged_segments} not acknowledged by the hub`,
    `Spool    ${spool.lost_segments} lost, ${spool.quarantined_segments} set aside, ` +
      `${spool.conflicting_segments} in conflict${free}`,
    `Horizon  ${formatHorizon(spool.horizon_seconds ?? null)}${pressureWords[spool.pressure ?? "none"]}`,
    `Archive  ${archive.archive_id ?? "not known yet"}, ${archive.abandoned_workers} uploads given up`,
    `Hub      ${hub.url}: ${hubState}`,
    ...formatLink(status.link),
    `Errors   ${errors.length === 0 ? "none" : errors.join(", ")}`,
  ].join("\n")}\n`;
}

function formatLink(link: EdgeStatus["link"]): string[] {
  if (!link) return [];
  if (!link.enabled) return ["Link     switched off by the config"];
  const since = link.since === null ? "" : ` since ${link.since}`;
  if (link.connected) return [`Link     connected${since}`];
  return [`Link     NOT connected${since}${link.last_error === null ? "" : `: ${link.last_error}`}`];
}

const pressureWords = {
  none: "",
  compressed: "; the disk fills: cameras are asked for less",
  stopped: "; the disk is full: nothing is recorded",
};

/** `survives 3 d 4 h of outage at today's bitrate` */
function formatHorizon(seconds: number | null): string {
  if (seconds === null) return "not known while no camera records";
  return `survives ${formatDuration(seconds)} of outage at today's bitrate`;
}

function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const hours = Math.floor(seconds / 3600);
  return hours >= 24
    ? `${Math.floor(hours / 24)} d ${hours % 24} h`
    : `${hours} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `, 2.1 MB/s, done in 3 h 10 min` */
function formatProgress({ state, bytes_per_second, eta_seconds, last_error }: EdgeStatus["uploads"]): string {
  if (state === "idle") return "";
  const rate = bytes_per_second === null ? "" : `, ${formatBytes(bytes_per_second)}/s`;
  const eta = eta_seconds === null ? "" : `, done in ${formatDuration(eta_seconds)}`;
  const words = { uploading: "", retrying: ", tried again", outside_window: ", not now by the config" }[
    state
  ];
  return `${words}${rate}${eta}${last_error === null ? "" : ` - ${last_error}`}`;
}

function formatMachine(system: EdgeStatus["system"]): string {
  const { cpu_usage: cpu, memory_available_bytes, memory_total_bytes, temperature_celsius: celsius } = system;
  return [
    cpu === null ? "" : `CPU ${Math.round(cpu * 100)} % of ${system.cpu_count}`,
    `memory ${formatBytes(memory_available_bytes)} of ${formatBytes(memory_total_bytes)} free`,
    celsius === null ? "" : `${celsius.toFixed(1)} °C`,
    `up ${(system.uptime_seconds / 3600).toFixed(1)} h`,
  ]
    .filter(Boolean)
    .join(", ");
}

function formatUpload(upload: Upload): string {
  const state = upload.state === "uploading" ? `${Math.round(upload.progress * 100)} %` : upload.state;
  const eta = upload.eta_seconds === null ? "" : `, done in ${formatDuration(upload.eta_seconds)}`;
  const error = upload.last_error === null ? "" : ` - ${upload.last_error}`;
  return `${upload.video_id}  ${upload.camera_id.padEnd(12)} ${upload.start_time}  ${formatBytes(upload.size_bytes).padStart(9)}  ${state}${eta}${error}`;
}

function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
