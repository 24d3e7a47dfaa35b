import type { EdgeStatus } from "../common/protocol/control.ts";
import type { ThrottlingFlags } from "../common/protocol/node.ts";
import { plainTextOf } from "../common/protocol/wire.ts";
import { formatBytes, formatDuration } from "./figure-words.ts";

type Camera = EdgeStatus["cameras"][number];

/** The screen of `livecam-edge status`: what is wrong first, then the way of the footage, from the camera to the hub. Pure. */
export function statusScreen(status: EdgeStatus, nowMs: number): string {
  const { spool, uploads, archive, system } = status;
  const { error_counts: errors } = status;
  const lines = [
    row(
      "Node",
      `${status.node_id}, livecam-edge ${status.software_version}, config ${status.config_version}`,
    ),
    ...configRows(status.config),
    row("Running", `for ${ageOf(status.started_at, nowMs)}, since ${status.started_at}`),
    ...alertRows(status, nowMs),
    "Cameras",
    ...status.cameras.map((camera) => cameraRow(camera, nowMs)),
    row("Waiting", waitingText(spool, nowMs)),
    row("Uploads", uploadsText(uploads, nowMs)),
    row(
      "Archive",
      `${archive.archive_id ?? "not known yet"}${archiveWords[uploads.archive ?? "unknown"]}, ${archive.abandoned_workers} uploads given up`,
    ),
    row("Spool", spoolText(spool, system)),
    row("Horizon", `${horizonText(spool.horizon_seconds ?? null)}${pressureWords[spool.pressure ?? "none"]}`),
    row("Hub", hubText(status, nowMs)),
    ...linkRows(status.link, nowMs),
    row("Machine", machineText(system)),
    row("Power", powerText(system)),
    row("Clock", clockText(system.clock)),
    row(
      "Errors",
      Object.keys(errors).length === 0
        ? "none"
        : Object.entries(errors)
            .map(([module, count]) => `${module} ${count}`)
            .join(", "),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

const row = (name: string, text: string) => `${name.padEnd(8)} ${plainTextOf(text, 1000)}`;

/** `20 min` */
function ageOf(time: string, nowMs: number): string {
  return formatDuration(Math.max(0, (nowMs - Date.parse(time)) / 1000));
}

/** Only what is not as it should be. */
function configRows(config: EdgeStatus["config"]): string[] {
  if (!config) return [];
  return [
    ...(config.refusal === null
      ? []
      : [row("Config", `the changed file is REFUSED, the old one stays in force: ${config.refusal}`)]),
    ...(config.needs_restart.length === 0
      ? []
      : [row("Config", `NEEDS A RESTART for ${config.needs_restart.join(", ")}`)]),
  ];
}

function alertRows({ alerts = [] }: EdgeStatus, nowMs: number): string[] {
  const active = alerts.filter(({ cleared_at }) => cleared_at === null);
  if (active.length === 0) return [row("Alerts", "none")];
  return [
    "Alerts",
    ...active.map(({ severity, camera_id, message, raised_at, count }) => {
      const times = count > 1 ? `, ${count} times` : "";
      const where = camera_id === null ? "" : `${camera_id}: `;
      return `  ${severity.toUpperCase().padEnd(8)} ${plainTextOf(`${where}${message}`, 600)} (for ${ageOf(raised_at, nowMs)}${times})`;
    }),
  ];
}

function cameraRow(camera: Camera, nowMs: number): string {
  const {
    state,
    fps,
    fps_asked: asked = null,
    bitrate_bps: bitrate,
    last_fragment_at: last,
    message,
  } = camera;
  const fallbackSince = camera.fallback_since ?? null;
  const pausedSince = camera.paused_since ?? null;
  const isRecording = state === "recording";
  const facts = [
    camera.width && camera.height ? `${camera.width}x${camera.height}` : "",
    fps === null ? "" : `${fps.toFixed(1)}${asked === null ? "" : ` of ${asked}`} fps`,
    bitrate === null ? "" : `${(bitrate / 1e6).toFixed(2)} Mb/s`,
    pausedSince === null ? "" : `for ${ageOf(pausedSince, nowMs)}, until it is resumed`,
    fallbackSince === null ? "" : `no signal for ${ageOf(fallbackSince, nowMs)}`,
    isRecording || last === null ? "" : `last picture ${ageOf(last, nowMs)} ago`,
    camera.restarts === 1 ? "1 restart" : `${camera.restarts} restarts`,
  ].filter(Boolean);
  const why = message && !isRecording && state !== "paused" ? ` - ${message}` : "";
  return `  ${camera.camera_id.padEnd(12)} ${state.padEnd(10)} ${plainTextOf(facts.join(", ") + why, 800)}`;
}

function waitingText(spool: EdgeStatus["spool"], nowMs: number): string {
  const unacknowledged = `${spool.unacknowledged_segments} not acknowledged by the hub`;
  if (spool.oldest_waiting_at === null) return `nothing; ${unacknowledged}`;
  const { waiting_segments: segments, waiting_bytes: bytes } = spool;
  const age = ageOf(spool.oldest_waiting_at, nowMs);
  return `${segments} ${segments === 1 ? "segment" : "segments"} (${formatBytes(bytes)}), the oldest for ${age}; ${unacknowledged}`;
}

const uploadWords = {
  idle: "nothing to do",
  uploading: "uploading",
  retrying: "tried again",
  outside_window: "not now, by the config",
};

/** `uploading, 2.1 MB/s, done in 3 h 10 min; 812 succeeded, 4 failed` */
function uploadsText(uploads: EdgeStatus["uploads"], nowMs: number): string {
  const { state, bytes_per_second: speed, eta_seconds: eta, last_error: error, succeeded, failed } = uploads;
  const failingSince = uploads.failing_since ?? null;
  const isIdle = state === "idle";
  const words = [
    uploadWords[state],
    isIdle || speed === null ? "" : `${formatBytes(speed)}/s`,
    isIdle || eta === null ? "" : `done in ${formatDuration(eta)}`,
    failingSince === null ? "" : `failing for ${ageOf(failingSince, nowMs)}`,
  ].filter(Boolean);
  const counts = succeeded === undefined ? "" : `; ${succeeded} succeeded, ${failed ?? 0} failed`;
  return `${words.join(", ")}${counts}${error === null ? "" : ` - ${error}`}`;
}

const archiveWords = {
  unknown: "",
  reachable: ", reachable",
  unreachable: ", NOT reachable",
  other_archive: ", ANOTHER one is there",
  failing: ", takes nothing",
};

function spoolText(spool: EdgeStatus["spool"], system: EdgeStatus["system"]): string {
  const { spool_free_bytes: free, spool_total_bytes: total } = system;
  const room = free === null || total === null ? "" : `, ${formatBytes(free)} of ${formatBytes(total)} free`;
  return `${spool.lost_segments} lost, ${spool.quarantined_segments} set aside, ${spool.conflicting_segments} in conflict${room}`;
}

const pressureWords = {
  none: "",
  compressed: "; the disk fills: cameras are asked for less",
  stopped: "; the disk is full: nothing is recorded",
};

/** `survives 3 d 4 h of outage at today's bitrate` */
function horizonText(seconds: number | null): string {
  if (seconds === null) return "not known while no camera records";
  return `survives ${formatDuration(seconds)} of outage at today's bitrate`;
}

function hubText({ hub }: EdgeStatus, nowMs: number): string {
  const { url, registered, last_heartbeat_at: seen, last_error: error, response_ms: responseMs = null } = hub;
  const heard = seen === null ? "never heard" : `heard ${ageOf(seen, nowMs)} ago`;
  if (error !== null) return `${url}: ${heard} - ${error}`;
  const took = responseMs === null ? "" : `, answers in ${Math.round(responseMs)} ms`;
  return `${url}: ${registered ? `registered, ${heard}${took}` : "not yet reached"}`;
}

function linkRows(link: EdgeStatus["link"], nowMs: number): string[] {
  if (!link) return [];
  if (!link.enabled) return [row("Link", "switched off by the config")];
  const since = link.since === null ? "" : ` for ${ageOf(link.since, nowMs)}`;
  if (link.connected) return [row("Link", `connected${since}`)];
  return [row("Link", `NOT connected${since}${link.last_error === null ? "" : `: ${link.last_error}`}`)];
}

function machineText(system: EdgeStatus["system"]): string {
  const { model, cpu_usage: cpu, cpu_count: cores, load_1m: load } = system;
  const { network_received_bytes: received, network_sent_bytes: sent } = system;
  return [
    model ?? "",
    cpu === null ? "" : `CPU ${Math.round(cpu * 100)} % of ${cores}`,
    load === null ? "" : `load ${load.toFixed(2)}`,
    `memory ${formatBytes(system.memory_available_bytes)} of ${formatBytes(system.memory_total_bytes)} free`,
    `livecam-edge ${formatBytes(system.process_rss_bytes)}`,
    received === null || sent === null ? "" : `network ${formatBytes(received)} in, ${formatBytes(sent)} out`,
    `up ${formatDuration(system.uptime_seconds)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

const throttlingWords: Readonly<Record<keyof ThrottlingFlags, string>> = {
  under_voltage: "under-voltage",
  frequency_capped: "capped clock",
  throttled: "throttled",
  soft_temperature_limit: "temperature limit",
};

function powerText({ temperature_celsius: celsius, throttling }: EdgeStatus["system"]): string {
  const named = (flags: ThrottlingFlags) =>
    (Object.keys(throttlingWords) as (keyof ThrottlingFlags)[])
      .filter((name) => flags[name])
      .map((name) => throttlingWords[name]);
  const heat = celsius === null ? [] : [`${celsius.toFixed(1)} °C`];
  if (!throttling) return heat.length === 0 ? "this machine does not tell" : heat.join();
  const now = named(throttling.now);
  const before = named(throttling.since_boot).filter((name) => !now.includes(name));
  if (now.length > 0) heat.push(`NOW: ${now.join(", ")}`);
  if (before.length > 0) heat.push(`since the boot: ${before.join(", ")}`);
  if (now.length + before.length === 0) heat.push("no under-voltage, no throttling since the boot");
  return heat.join("; ");
}

function clockText(clock: EdgeStatus["system"]["clock"]): string {
  if (!clock) return "not told";
  const { state, source, ahead_of_hub_ms: ahead } = clock;
  const words = { synced: "set", unsynced: "NOT set", unknown: "nothing tells whether it is set" }[state];
  const difference =
    ahead === null
      ? ""
      : `, ${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead < 0 ? "behind" : "ahead of"} the hub`;
  return `${words}${source === null ? "" : ` (${source})`}${difference}`;
}
