import { writeFile } from "node:fs/promises";
import { systemClock } from "../common/clock.ts";
import { AppError } from "../common/errors.ts";
import type { Upload } from "../common/protocol/control.ts";
import type { TextSink } from "../common/verify-progress.ts";
import { formatReload } from "./cli-reload.ts";
import { watch } from "./cli-watch.ts";
import { ConfigStore } from "./config-store.ts";
import { ControlClient } from "./control/control-client.ts";
import { formatBytes, formatDuration } from "./figure-words.ts";
import { statusScreen } from "./status-screen.ts";

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
    return options.json
      ? `${JSON.stringify(status, null, options.watch ? 0 : 2)}\n`
      : statusScreen(status, systemClock.wallMs());
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

function formatUpload(upload: Upload): string {
  const state = upload.state === "uploading" ? `${Math.round(upload.progress * 100)} %` : upload.state;
  const eta = upload.eta_seconds === null ? "" : `, done in ${formatDuration(upload.eta_seconds)}`;
  const error = upload.last_error === null ? "" : ` - ${upload.last_error}`;
  return `${upload.video_id}  ${upload.camera_id.padEnd(12)} ${upload.start_time}  ${formatBytes(upload.size_bytes).padStart(9)}  ${state}${eta}${error}`;
}
