import type * as v from "valibot";
import { AppError } from "../common/errors.ts";
import type { CameraStatus } from "../common/protocol/node.ts";
import { formatWireTime, plainTextOf } from "../common/protocol/wire.ts";
import type { Camera } from "./camera/camera.ts";
import type { CaptureSettings } from "./camera/camera-source.ts";
import type { CameraWatcher } from "./camera/camera-watcher.ts";
import type { CapturePlanner } from "./camera/capture-planner.ts";
import type { CameraSettings, ControlledCamera } from "./control/controlled-node.ts";
import type { Recorder } from "./recorder/recorder.ts";
import type { GapLedger } from "./spool/gap-ledger.ts";
import type { PauseMarks } from "./spool/pause-marks.ts";

/** One camera of this node with its recorder, as control and heartbeat see them. */
export class CameraUnit implements ControlledCamera {
  /** Undefined for a camera whose stream is taken as it comes. */
  fpsAsked: number | undefined;

  constructor(
    readonly id: string,
    readonly camera: Camera,
    readonly recorder: Recorder,
    readonly gaps: Pick<GapLedger, "paused" | "resumed" | "reconfigured">,
    readonly pauses: Pick<PauseMarks, "of" | "set" | "clear">,
  ) {}

  /** One that was paused before stays so. */
  start(): void {
    this.recorder.start();
    if (this.pauses.of(this.id)) void this.recorder.pause();
    else this.camera.start();
  }

  /** The capture first, so that its last fragment is in the segment that is then closed. */
  async stop(): Promise<void> {
    await this.camera.stop();
    await this.recorder.stop();
  }

  /**
   * Nothing is captured until `resume`, also after a restart: the camera gives no picture to anybody. Throws `io` when
   * it could not be written down; it is paused even so.
   */
  async pause(): Promise<void> {
    await this.recorder.pause();
    if (!this.#isPaused) return;
    this.gaps.paused(this.id);
    const [written] = await Promise.allSettled([this.pauses.set(this.id), this.camera.stop()]);
    if (written.status === "rejected") throw written.reason;
  }

  /** Throws `io` when it could not be written down; it records even so. */
  async resume(): Promise<void> {
    if (this.#isPaused) {
      this.gaps.resumed(this.id);
      this.recorder.resume();
      this.camera.start();
    }
    // Also one that records, but whose mark the disk did not let go.
    if (!this.#isPaused) await this.pauses.clear(this.id);
  }

  async configure(settings: CameraSettings): Promise<void> {
    await this.camera.configure(settings);
    this.#reconfigured();
    this.fpsAsked = settings.fps ?? this.fpsAsked;
  }

  /** {@link Camera.replan} */
  async replan(planner: CapturePlanner, settings?: CaptureSettings): Promise<void> {
    await this.camera.replan(planner, settings);
    this.#reconfigured();
  }

  async snapshot(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#isPaused) throw new AppError("unavailable", "the camera is paused: it gives no picture");
    return this.camera.snapshot(signal);
  }

  watch(watcher: CameraWatcher): () => void {
    return this.camera.watch(watcher);
  }

  status(): v.InferInput<typeof CameraStatus> {
    const capture = this.camera.status();
    const recorder = this.recorder.status();
    const time = (ms: number | undefined) => (ms === undefined ? null : formatWireTime(ms));
    return {
      camera_id: this.id,
      state: this.#state(capture.state, recorder.state),
      message: plain(recorder.message ?? capture.message),
      width: capture.width ?? null,
      height: capture.height ?? null,
      codec: capture.codec ?? null,
      fps: capture.fps ?? null,
      fps_asked: this.fpsAsked ?? null,
      bitrate_bps: capture.bitrateBps === undefined ? null : Math.round(capture.bitrateBps),
      last_fragment_at: time(capture.lastFragmentAtMs),
      run_started_at: time(capture.runStartedAtMs),
      restarts: capture.restarts,
      failures_in_row: capture.failuresInRow,
      spool_failing: recorder.state === "failing",
      fallback_since: time(capture.fallbackSinceMs),
      paused_since: this.#isPaused ? time(this.pauses.of(this.id)?.sinceMs) : null,
    };
  }

  get #isPaused(): boolean {
    return this.recorder.status().state === "paused";
  }

  #reconfigured(): void {
    if (this.recorder.status().state === "recording") this.gaps.reconfigured(this.id);
  }

  #state(
    capture: ReturnType<Camera["status"]>["state"],
    recorder: ReturnType<Recorder["status"]>["state"],
  ): v.InferInput<typeof CameraStatus>["state"] {
    if (recorder === "paused") return "paused";
    if (capture !== "running") return capture;
    // Pictures come, and the disk takes none of them: the next fragment is tried again.
    return recorder === "failing" ? "retrying" : "recording";
  }
}

/** The protocol takes no control characters: one in a program's last words must not cost a heartbeat. */
function plain(text: string | undefined): string | null {
  return text === undefined ? null : plainTextOf(text, 500);
}
