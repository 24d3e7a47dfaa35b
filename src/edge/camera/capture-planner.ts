import { AppError } from "../../common/errors.ts";
import { checkInput } from "../../common/input-issues.ts";
import type { Secret } from "../../common/secret.ts";
import { CameraConfig, type SourceConfig } from "../config.ts";
import type { CapturePlan, CaptureSettings } from "./camera-source.ts";
import { planCapture } from "./capture-plan.ts";
import { fileInput } from "./file-source.ts";
import type { PiModel } from "./pi-model.ts";
import { rtspInput, rtspScript } from "./rtsp-source.ts";
import { probeSource, type SourceProbe } from "./source-probe.ts";

export interface PlanRequest {
  settings: CaptureSettings;
  /** The run before brought no fragment at all: leave out what may have held it up. */
  afterSilence: boolean;
  signal: AbortSignal;
}

/** Looks at the source where that needs looking at (codec, audio), and says what to run. */
export interface CapturePlanner {
  /** Throws `invalid_input` for settings that the source cannot take. */
  check(settings: CaptureSettings): void;
  /** Called before each run. Rejects with `unavailable`, `timeout` or `cancelled`. */
  plan(request: PlanRequest): Promise<CapturePlan>;
}

export interface CapturePlannerOptions {
  cameraId: string;
  source: SourceConfig;
  /** `user:password` of an RTSP camera, read from where the config says it is. */
  credentials?: Secret;
  piModel: PiModel;
}

/** Throws `invalid_config` at once for settings that cannot work. */
export function createCapturePlanner(options: CapturePlannerOptions): CapturePlanner {
  const { cameraId, source, credentials, piModel } = options;
  const context = { cameraId, piModel, credentials };
  // Whatever the probe will find, the rest of the settings shows now whether it fits.
  planCapture(source, { ...context, probe: { video: "h264", audio: "none" } });
  let soundLeftOut = false;
  return {
    check: (settings) => void withSettings(source, settings),
    async plan({ settings, afterSilence, signal }) {
      const wanted = withSettings(source, settings);
      const probe = await probeOf(wanted, credentials, signal);
      // ffmpeg writes nothing until every stream it was promised has begun, and some cameras promise sound and send
      // none. So every other try after silence goes without.
      soundLeftOut = afterSilence && !soundLeftOut;
      const usable: SourceProbe | undefined = probe && soundLeftOut ? { ...probe, audio: "none" } : probe;
      return planCapture(wanted, { ...context, probe: usable });
    },
  };
}

async function probeOf(
  source: SourceConfig,
  credentials: Secret | undefined,
  signal: AbortSignal,
): Promise<SourceProbe | undefined> {
  if (source.type === "file") return probeSource({ input: fileInput(source), timeoutMs: 30_000, signal });
  if (source.type !== "rtsp") return undefined;
  return probeSource({
    input: rtspInput,
    stdin: rtspScript(source, credentials),
    // Opening takes several round trips, each of which may take the source's own timeout.
    timeoutMs: 3 * source.timeout_seconds * 1000 + 10_000,
    signal,
  });
}

/** The source as the config would have it with these settings; the config's schema says what is possible. */
function withSettings(source: SourceConfig, settings: CaptureSettings): SourceConfig {
  const { width, height, fps, bitrateBps: bitrate } = settings;
  const entries = Object.entries({ width, height, fps, bitrate }).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return source;
  if (source.type === "file" || source.type === "rtsp") {
    const kind = source.type === "file" ? "a file" : "a network camera";
    throw new AppError("invalid_input", `${kind} is recorded as it is: its settings cannot be changed here`);
  }
  const checked = checkInput(CameraConfig.entries.source, { ...source, ...Object.fromEntries(entries) });
  if (!checked.ok) {
    throw new AppError("invalid_input", "these settings are not possible", { issues: checked.issues });
  }
  return checked.output;
}
