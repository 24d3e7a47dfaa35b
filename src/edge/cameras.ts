import type { Clock } from "../common/clock.ts";
import type { Live } from "../common/live-setting.ts";
import { createLogger } from "../common/log.ts";
import type { Secret } from "../common/secret.ts";
import { Camera } from "./camera/camera.ts";
import { createCapturePlanner } from "./camera/capture-planner.ts";
import { planFallbackCapture } from "./camera/fallback-source.ts";
import type { PiModel } from "./camera/pi-model.ts";
import { CameraUnit } from "./camera-unit.ts";
import { compressedSettingsOf, setCompressed } from "./compressed-mode.ts";
import type { CameraConfig } from "./config.ts";
import { type ClockSync, Recorder } from "./recorder/recorder.ts";
import type { Spool } from "./spool/spool.ts";

export interface CamerasOptions {
  nodeId: string;
  timeZone: string;
  softwareVersion: string;
  piModel: PiModel;
  spool: Pick<Spool, "sink" | "gaps" | "pauses">;
  clock: Clock;
  clockSync: ClockSync;
  segmentSeconds: Live<number>;
  stallMs: Live<number>;
  fallbackAfterFailures: Live<number>;
}

/** A camera as the config has it, with the credentials that the config points at. */
export interface ConfiguredCamera {
  config: CameraConfig;
  credentials: Secret | undefined;
}

interface Member {
  config: CameraConfig;
  unit: CameraUnit;
}

/** The cameras of this node, each with its recorder; they come, change and go with the config. */
export class Cameras {
  readonly #options: CamerasOptions;
  readonly #members = new Map<string, Member>();
  /** The spool's disk fills, and every camera that can is asked for less. */
  #isCompressed = false;
  #isStopped = false;

  constructor(options: CamerasOptions) {
    this.#options = options;
  }

  /** In the order in which they came. */
  list(): CameraUnit[] {
    return [...this.#members.values()].map(({ unit }) => unit);
  }

  get(id: string): CameraUnit | undefined {
    return this.#members.get(id)?.unit;
  }

  /** What all of them make now; 0 while none does. */
  bytesPerSecond(): number {
    return this.list().reduce((sum, unit) => sum + (unit.status().bitrate_bps ?? 0), 0) / 8;
  }

  /** Should record from now on, and begin to, but for those that are paused. Nothing after `stop`. */
  start(cameras: readonly ConfiguredCamera[]): void {
    if (this.#isStopped) return;
    const { gaps, pauses } = this.#options.spool;
    const isPaused = (id: string) => pauses.of(id) !== undefined;
    gaps.expect(
      cameras.map(({ config }) => config.id),
      isPaused,
    );
    for (const camera of cameras) {
      const unit = this.#create(camera);
      this.#members.set(unit.id, { config: camera.config, unit });
      unit.start();
    }
  }

  /** What it recorded is closed when this resolves, and nothing is missed of it. A pause outlives it. Never rejects. */
  async remove(id: string): Promise<void> {
    const member = this.#members.get(id);
    if (!member) return;
    this.#members.delete(id);
    await member.unit.stop();
    this.#options.spool.gaps.forget(id);
  }

  /** Goes on as `camera` says; the others do not notice. What was asked of it by hand is forgotten. Never rejects. */
  async change(camera: ConfiguredCamera): Promise<void> {
    const member = this.#members.get(camera.config.id);
    if (!member) return;
    member.config = camera.config;
    const compressed = this.#isCompressed
      ? compressedSettingsOf(camera.config.source)?.compressed
      : undefined;
    await member.unit.replan(this.#plannerOf(camera), compressed);
    member.unit.fpsAsked = compressed?.fps ?? fpsOf(camera.config);
  }

  /** Asks those that can for less, or for the usual again. Never rejects. */
  async compress(isCompressed: boolean): Promise<void> {
    this.#isCompressed = isCompressed;
    const configs = [...this.#members.values()].map(({ config }) => config);
    await setCompressed(isCompressed, this.list(), configs, createLogger("edge"));
  }

  /** Ends the captures, and closes what they recorded. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.list().map((unit) => unit.stop()));
  }

  #create(camera: ConfiguredCamera): CameraUnit {
    const { spool, clock, clockSync, nodeId, timeZone, softwareVersion, segmentSeconds } = this.#options;
    const { id: cameraId } = camera.config;
    const recorder = new Recorder({
      ...{ cameraId, nodeId, timeZone, softwareVersion, clock, clockSync, segmentSeconds },
      sink: spool.sink,
      logger: createLogger("recorder").with({ camera_id: cameraId }),
    });
    const { stallMs, fallbackAfterFailures: afterFailures } = this.#options;
    const settings = (this.#isCompressed && compressedSettingsOf(camera.config.source)?.compressed) || {};
    const capture = new Camera({
      ...{ cameraId, clock, stallMs },
      planner: this.#plannerOf(camera),
      consumer: recorder,
      logger: createLogger("camera").with({ camera_id: cameraId }),
      settings,
      fallback: {
        afterFailures,
        plan: (sinceMs) => planFallbackCapture({ cameraId, sinceMs, timeZone }),
      },
    });
    const unit = new CameraUnit(cameraId, capture, recorder, spool.gaps, spool.pauses);
    unit.fpsAsked = settings.fps ?? fpsOf(camera.config);
    return unit;
  }

  #plannerOf({ config, credentials }: ConfiguredCamera) {
    const { piModel } = this.#options;
    const { id: cameraId, source } = config;
    return createCapturePlanner({ cameraId, source, piModel, ...(credentials && { credentials }) });
  }
}

function fpsOf({ source }: CameraConfig): number | undefined {
  return "fps" in source ? source.fps : undefined;
}
