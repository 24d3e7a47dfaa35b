import { stringify } from "yaml";
import { plainTextOf } from "../../common/protocol/wire.ts";
import type { Answers, CameraAnswer, DestinationAnswer, FoundCamera } from "./answers.ts";

export interface ConfigPlace {
  /** Where the config will lie. */
  path: string;
  /** Where its secrets will lie. */
  folder: string;
  /** For the comments beside the cameras. */
  found: readonly FoundCamera[];
}

/** A config for these answers, as YAML with comments for people. Pure; whether it is valid is for its schema to say. */
export function formatConfig(answers: Answers, { path, folder, found }: ConfigPlace): string {
  const { nodeId, cameras, destination, hubUrl, keyFile } = answers;
  return `# livecam-edge run --config ${plain(path)}
# livecam-edge check-config says everything that is wrong with it, livecam-edge doctor tries all of it.
# What is commented out is the default, or a further possibility.

# Name of this machine at the hub; a-z, 0-9, - and _.
node_id: ${scalar(nodeId)}

cameras:
${cameras.map((camera, index) => cameraLines(camera, cameraIdOf(index), { folder, found })).join("\n")}
recording:
  # A divisor of 3600: segments are cut when the clock says so.
  segment_seconds: 600
  # What a power cut can lose, beside the fragment being written.
  # fsync_interval_ms: 2000

upload:
${destinationLines(destination, folder)}
  # After an outage: oldest_first, or newest_first.
  # order: oldest_first

network:
  hub_url: ${scalar(hubUrl)}
  # Made on the hub by: livecam-hub key create --node ${plain(nodeId)}
  api_key: { file: ${scalar(keyFile)} }

system:
  # Zone of file names and of the clock that segments are cut at; this machine's when it is not given.
  # time_zone: Asia/Seoul
  # What is recorded and not archived yet: on a disk that may be written to day and night.
  spool_path: /var/lib/livecam/spool
  # Copies of what is safely archived are kept on this machine up to this size, in bytes.
  # spool_max_bytes: 20000000000
`;
}

function cameraIdOf(index: number): string {
  return `cam${String(index + 1).padStart(2, "0")}`;
}

function cameraLines(
  camera: CameraAnswer,
  id: string,
  { folder, found }: Pick<ConfigPlace, "folder" | "found">,
): string {
  const lines = { test: testLines, file: fileLines, rtsp: rtspLines, v4l2: v4l2Lines, rpicam: rpicamLines };
  const nameOf = (text: string) => found.find((other) => other.text === text)?.name ?? "";
  const write = lines[camera.type] as (camera: CameraAnswer, context: CameraContext) => string[];
  const [comment = "", ...settings] = write(camera, { id, folder, nameOf });
  return [
    `  # ${comment}`,
    `  - id: ${id}`,
    "    # name: Garage door",
    "    source:",
    `      type: ${camera.type}`,
    ...settings.map((line) => `      ${line}`),
    "",
  ].join("\n");
}

interface CameraContext {
  id: string;
  folder: string;
  nameOf: (text: string) => string;
}

type Camera<T extends CameraAnswer["type"]> = Extract<CameraAnswer, { type: T }>;

function testLines(): string[] {
  return ["A picture with a running clock, to try things out.", "width: 1280", "height: 720", "fps: 30"];
}

function fileLines({ path }: Camera<"file">): string[] {
  return ["A file, again and again, to try things out.", `path: ${scalar(path)}`];
}

function rtspLines({ url }: Camera<"rtsp">, { id, folder }: CameraContext): string[] {
  return [
    "A network camera: its stream is copied as it comes.",
    `url: ${scalar(url)}`,
    "# A file that holds user:password",
    `# credentials: { file: ${scalar(`${folder}/${id}.secret`)} }`,
  ];
}

function v4l2Lines({ device }: Camera<"v4l2">, { nameOf }: CameraContext): string[] {
  return [
    `A USB camera${labelled(nameOf(device))}; v4l2-ctl --list-formats-ext shows what it can do.`,
    `device: ${scalar(device)}`,
    ...[
      "width: 1280",
      "height: 720",
      "fps: 30",
      "# h264 is copied, mjpeg and yuyv422 are encoded.",
      "input_format: mjpeg",
    ],
  ];
}

function rpicamLines({ camera }: Camera<"rpicam">, { nameOf }: CameraContext): string[] {
  const name = nameOf(`rpicam:${camera}`);
  return [
    `A camera on the Pi's ribbon cable${labelled(name)}.`,
    ...[`camera: ${camera}`, "width: 1920", "height: 1080", "fps: 30", "bitrate: 4000000"],
    // The only module of the Raspberry Pi that can focus.
    ...(name.startsWith("imx708") ? ["autofocus: continuous"] : ["# autofocus: continuous"]),
    "# rotation: 180",
  ];
}

function labelled(name: string): string {
  return name === "" ? "" : ` (${plain(name)})`;
}

function destinationLines(destination: DestinationAnswer, folder: string): string {
  const start = (comment: string, type: string) => [`  # ${comment}`, "  destination:", `    type: ${type}`];
  if (destination.type === "path") {
    const comment =
      "A mounted share, or a folder; the hub makes metadata/archive.json in it, without which nothing is written.";
    return [...start(comment, "path"), `    path: ${scalar(destination.path)}`].join("\n");
  }
  const { server, port } = destination;
  const at = [`    server: ${scalar(server)}`, ...(port === undefined ? [] : [`    port: ${port}`])];
  if (destination.type === "nfs") {
    const comment = "An NFS export that livecam mounts itself, as root.";
    return [...start(comment, "nfs"), ...at, `    export: ${scalar(destination.export)}`].join("\n");
  }
  const how =
    destination.mode === "mount" ? "that livecam mounts itself, as root" : "that is not mounted (smbclient)";
  return [
    ...start(`An SMB share ${how}.`, "smb"),
    ...[`    mode: ${destination.mode}`, ...at, `    share: ${scalar(destination.share)}`],
    ...(destination.path === "" ? [] : [`    path: ${scalar(destination.path)}`]),
    `    username: ${scalar(destination.username)}`,
    `    password: { file: ${scalar(`${folder}/smb.secret`)} }`,
  ].join("\n");
}

/** As a YAML scalar on one line, in a block or between braces. */
function scalar(text: string): string {
  const simple =
    /^[A-Za-z0-9_/][A-Za-z0-9_/.:-]*[A-Za-z0-9_/-]$/.test(text) && stringify(text) === `${text}\n`;
  return simple ? text : JSON.stringify(text);
}

/** For a comment, which ends with its line. */
function plain(text: string): string {
  return plainTextOf(text, 120);
}
