import { Cron } from "croner";
import * as v from "valibot";
import { CameraId, NodeId } from "../common/ids.ts";
import { PlainText, PositiveInteger, TimeZone } from "../common/protocol/wire.ts";
import { SecretSource } from "../common/secret.ts";
import { DestinationConfig } from "./destination-config.ts";
import { HealthConfig } from "./health-config.ts";
import { refusedRpicamOptions } from "./rpicam-options.ts";

const integerIn = (min: number, max: number, unit: string) =>
  v.pipe(
    v.number(),
    v.safeInteger(`a whole number of ${unit}`),
    v.minValue(min, `at least ${min} ${unit}`),
    v.maxValue(max, `at most ${max} ${unit}`),
  );

const width = integerIn(16, 8192, "pixels");
const height = integerIn(16, 8192, "pixels");
const fps = v.pipe(
  v.number(),
  v.minValue(0.1, "at least 0.1 frames per second"),
  v.maxValue(240, "at most 240 frames per second"),
);
const bitrate = integerIn(50_000, 200_000_000, "bits per second");
/** Seconds between keyframes: also the length of a fragment, and so what a crash can lose. */
const keyframeSeconds = v.pipe(
  v.number(),
  v.minValue(0.1, "at least 0.1 seconds"),
  v.maxValue(10, "at most 10 seconds"),
);
const absolutePath = v.pipe(v.string(), v.maxLength(4096), v.regex(/^\/[^\0]*$/, "an absolute path"));
const codec = v.picklist(["h264", "h265"]);
const cronPattern = v.pipe(
  v.string(),
  v.maxLength(200),
  v.check(isCronPattern, "a cron pattern such as */5 * * * *, which comes to pass"),
);
/** Local time; one that ends before it starts goes over midnight. */
const uploadWindow = v.pipe(
  v.string(),
  v.regex(
    /^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/,
    "two times of the day such as 22:00-06:00",
  ),
  v.check((text) => text.slice(0, 5) !== text.slice(6), "two times of the day that differ"),
);
/** `auto`: copied when the source has AAC, encoded to AAC when it has other audio, nothing when it has none. */
const audio = v.optional(v.picklist(["auto", "off"]), "auto");

export const TestSource = v.strictObject({
  type: v.literal("test"),
  width: v.optional(width, 1280),
  height: v.optional(height, 720),
  fps: v.optional(fps, 30),
  bitrate: v.optional(bitrate, 2_000_000),
  codec: v.optional(codec, "h264"),
  keyframe_seconds: v.optional(keyframeSeconds, 1),
  /** A tone beside the picture. */
  tone: v.optional(v.boolean(), false),
});

export const FileSource = v.strictObject({
  type: v.literal("file"),
  path: absolutePath,
  audio,
});

export const RtspSource = v.strictObject({
  type: v.literal("rtsp"),
  /** Without user and password; those stand in `credentials`. */
  url: v.pipe(
    v.string(),
    v.maxLength(2048),
    v.regex(
      /^rtsps?:\/\/[^\s/@]+(?:\/[\x21-\x7e]*)?$/,
      "an rtsp:// or rtsps:// address without user and password",
    ),
  ),
  /** `user:password` */
  credentials: v.optional(SecretSource),
  transport: v.optional(v.picklist(["tcp", "udp"]), "tcp"),
  timeout_seconds: v.optional(integerIn(1, 300, "seconds"), 10),
  audio,
});

export const V4l2Source = v.strictObject({
  type: v.literal("v4l2"),
  device: v.pipe(
    v.string(),
    v.regex(/^\/dev\/[A-Za-z0-9/_.:-]+$/, "a device such as /dev/video0"),
    v.excludes(".."),
  ),
  /** What to ask the camera for; `h264` is copied, the others are encoded. */
  input_format: v.optional(v.picklist(["h264", "mjpeg", "yuyv422"]), "mjpeg"),
  width: v.optional(width, 1280),
  height: v.optional(height, 720),
  fps: v.optional(fps, 30),
  bitrate: v.optional(bitrate, 4_000_000),
  codec: v.optional(codec, "h264"),
  keyframe_seconds: v.optional(keyframeSeconds, 1),
  /** ALSA device such as `hw:1,0`; without it no audio. */
  audio_device: v.optional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9_:,=.-]+$/, "an ALSA device such as hw:1,0")),
  ),
});

export const RpicamSource = v.strictObject({
  type: v.literal("rpicam"),
  /** Index of the sensor, as `rpicam-hello --list-cameras` numbers them. */
  camera: v.optional(integerIn(0, 7, ""), 0),
  /** `auto` asks the device tree. A Pi 4 and older encode H.264 in hardware, a Pi 5 in software. */
  model: v.optional(v.picklist(["auto", "pi4", "pi5"]), "auto"),
  width: v.optional(width, 1920),
  height: v.optional(height, 1080),
  fps: v.optional(fps, 30),
  bitrate: v.optional(bitrate, 4_000_000),
  keyframe_seconds: v.optional(keyframeSeconds, 1),
  rotation: v.optional(v.picklist([0, 180]), 0),
  autofocus: v.optional(v.picklist(["default", "manual", "auto", "continuous"]), "default"),
  tuning_file: v.optional(absolutePath),
  /** Further rpicam-vid options, one argv entry each: `--denoise`, `cdn_off`. Output, codec and timing are ours. */
  extra_options: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.maxLength(256), v.regex(/^[^\0]*$/, "text without NUL"))),
      v.maxLength(64),
      v.check(
        (options) => refusedRpicamOptions(options).length === 0,
        "long options of rpicam-vid other than those that livecam sets itself (output, codec, size, timing)",
      ),
    ),
    [],
  ),
  audio_device: v.optional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9_:,=.-]+$/, "an ALSA device such as hw:1,0")),
  ),
});

export const CameraConfig = v.strictObject({
  id: CameraId,
  /** Name for people; the id where it is not given. */
  name: v.optional(PlainText(100)),
  source: v.variant("type", [TestSource, FileSource, RtspSource, V4l2Source, RpicamSource]),
});
export type CameraConfig = v.InferOutput<typeof CameraConfig>;
export type SourceConfig = CameraConfig["source"];

export const EdgeConfig = v.strictObject({
  node_id: NodeId,
  cameras: v.pipe(
    v.array(CameraConfig),
    v.minLength(1, "at least one camera"),
    v.maxLength(64),
    // Also of cameras that are wrong otherwise.
    v.rawCheck(({ dataset: { value: cameras }, addIssue }) => {
      if (!Array.isArray(cameras)) return;
      const ids: unknown[] = cameras.map((camera) => camera?.id);
      for (const [i, id] of ids.entries()) {
        if (typeof id !== "string" || ids.indexOf(id) === i) continue;
        const [input, value] = [cameras, cameras[i]];
        addIssue({
          message: "an id that no other camera has",
          input: id,
          path: [
            { type: "array", origin: "value", input, key: i, value },
            { type: "object", origin: "value", input: value, key: "id", value: id },
          ],
        });
      }
    }),
  ),
  recording: v.optional(
    v.strictObject({
      segment_seconds: v.optional(
        v.pipe(
          integerIn(2, 3600, "seconds"),
          v.check((seconds) => 3600 % seconds === 0, "a divisor of 3600, so that cuts fall on the clock"),
        ),
        600,
      ),
      /** Most that a power cut can lose beside the fragment being written. 0: after every fragment. */
      fsync_interval_ms: v.optional(integerIn(0, 60_000, "milliseconds"), 2000),
      /** What was recorded before the clock was set waits so long for it, to be dated anew; then it goes as it is. */
      unsynced_hold_seconds: v.optional(integerIn(0, 86_400, "seconds"), 600),
      /** No fragment for so long means the source is stalled. */
      stall_seconds: v.optional(integerIn(2, 300, "seconds"), 15),
      /** A camera that failed so often in a row is replaced by a "no signal" picture until it is back. 0: never. */
      fallback_after_failures: v.optional(integerIn(0, 1000, "failures"), 5),
    }),
    {},
  ),
  upload: v.strictObject({
    destination: DestinationConfig,
    order: v.optional(v.picklist(["oldest_first", "newest_first"]), "oldest_first"),
    /** An upload that makes no progress for so long is given up and tried again. */
    stall_seconds: v.optional(integerIn(1, 3600, "seconds"), 60),
    /** Uploads stay below it, evenly; without it they take what they get. */
    max_bytes_per_second: v.optional(integerIn(10_000, 10_000_000_000, "bytes per second")),
    /** When to look whether an archive is back that cannot be reached: five fields, or six with seconds first. */
    check_cron: v.optional(cronPattern, "* * * * *"),
    /** When uploads may start, in the node's time zone; without it, always. One that runs at the end is finished. */
    windows: v.optional(
      v.pipe(v.array(uploadWindow), v.minLength(1, "at least one window"), v.maxLength(32)),
    ),
  }),
  network: v.strictObject({
    hub_url: v.pipe(
      v.string(),
      v.url("an http:// or https:// address"),
      v.regex(/^https?:\/\/[^@]*$/, "an http:// or https:// address without user and password"),
    ),
    api_key: SecretSource,
    heartbeat_seconds: v.optional(integerIn(1, 3600, "seconds"), 10),
    /** Keeps a connection to the hub on which people there can pause, look at and configure the cameras. */
    link: v.optional(v.boolean(), true),
    /** What is watched over it before it is archived takes no more than this, all who watch together. */
    footage_max_bytes_per_second: v.optional(
      integerIn(10_000, 10_000_000_000, "bytes per second"),
      8_000_000,
    ),
  }),
  health: v.optional(HealthConfig, {}),
  system: v.optional(
    v.strictObject({
      /** Zone of file names and of the clock that segments are cut at; the system's where it is not given. */
      time_zone: v.optional(TimeZone),
      /** `ntp`: the machine's NTP service tells when the clock is set. `trusted`: it is right without (battery, GPS). */
      clock: v.optional(v.picklist(["ntp", "trusted"]), "ntp"),
      spool_path: v.optional(absolutePath, "/var/lib/livecam/spool"),
      /** Acknowledged segments are kept on the node up to this size. */
      spool_max_bytes: v.optional(PositiveInteger, 20_000_000_000),
      /** A full disk with nothing acknowledged on it: record nothing more, or delete what was never archived. */
      spool_when_full: v.optional(
        v.picklist(["stop_recording", "overwrite_oldest_unsent"]),
        "stop_recording",
      ),
      /** For what lives as long as the machine is up: SMB credentials in use. In memory, on most machines. */
      run_path: v.optional(absolutePath, "/run/livecam"),
      control_socket: v.optional(v.nullable(absolutePath), "/run/livecam/edge.sock"),
      /** Put a changed config in force by itself; without it on SIGHUP and `livecam-edge reload` only. */
      watch_config: v.optional(v.boolean(), true),
      log_level: v.optional(v.picklist(["debug", "info", "warning", "error"]), "info"),
    }),
    {},
  ),
});
export type EdgeConfig = v.InferOutput<typeof EdgeConfig>;

function isCronPattern(pattern: string): boolean {
  try {
    return new Cron(pattern).nextRun() !== null;
  } catch {
    return false;
  }
}
