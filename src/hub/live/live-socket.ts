import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { HubSocket, SocketEvents } from "../http/web-socket.ts";
import type { LiveInit, LiveViewer, WatchableCameras } from "./live-viewer.ts";

export interface LiveSocketOptions {
  cameraId: string;
  cameras: WatchableCameras;
  /** Whether whoever opened it may still watch. */
  isAllowed: () => Promise<boolean>;
  onClosed: () => void;
  clock: Clock;
  logger: Logger;
  /** How often it is asked whether it is still allowed; default 15 s. */
  recheckMs?: number;
}

/** Who is so far behind gets nothing more until it has read that, and then the newest keyframe. */
const maxBehindBytes = 256 * 1024;
/** Who reads nothing for so long is gone. */
const maxStuckMs = 60_000;

/**
 * One viewer's WebSocket: a text that says what comes, the init segment, then fragments, each a binary message; all of
 * it again when a new run begins. What a viewer says is not listened to.
 */
export class LiveSocket implements SocketEvents, LiveViewer {
  readonly #options: LiveSocketOptions;
  #socket: HubSocket | undefined;
  #leave: (() => void) | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;
  #waitsForKeyframe = true;
  /** Of the run that goes on, until the viewer has it. */
  #unsentInit: LiveInit | undefined;
  /** Monotonic; undefined while the viewer keeps up. */
  #behindSinceMs: number | undefined;

  constructor(options: LiveSocketOptions) {
    this.#options = options;
  }

  open(socket: HubSocket): void {
    const { cameras, cameraId, isAllowed, recheckMs = 15_000 } = this.#options;
    this.#socket = socket;
    this.#timer = setInterval(async () => {
      if (!(await isAllowed().catch(() => true))) socket.close(4004, "signed out");
    }, recheckMs);
    cameras.join(cameraId, this).then(
      (leave) => {
        this.#leave = leave;
        if (this.#isClosed) leave();
      },
      (error: unknown) => this.failed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  message(): void {
    this.#socket?.close(1003, "there is nothing to say here");
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#leave?.();
    this.#options.onClosed();
  }

  failed(error: Error): void {
    const { logger, cameraId } = this.#options;
    const isOurs = !(error instanceof AppError);
    if (isOurs) logger.error("a live view failed", { camera_id: cameraId, ...errorFields(error) });
    this.#socket?.close(1011, isOurs ? "internal error" : error.message.slice(0, 100));
  }

  onInit(init: LiveInit): void {
    this.#waitsForKeyframe = true;
    this.#unsentInit = init;
    if (this.#keepsUp()) this.#sendInit();
  }

  onFragment(bytes: Uint8Array<ArrayBuffer>, startsWithKeyframe: boolean): void {
    if (!this.#keepsUp() || (this.#waitsForKeyframe && !startsWithKeyframe)) {
      this.#waitsForKeyframe = true;
      return;
    }
    this.#waitsForKeyframe = false;
    this.#sendInit();
    this.#socket?.send(bytes);
  }

  onStopped(): void {
    this.#unsentInit = undefined;
    this.#socket?.send(JSON.stringify({ type: "stopped" }));
  }

  onAway(detail: string): void {
    if (this.#keepsUp()) this.#socket?.send(JSON.stringify({ type: "away", detail }));
  }

  #sendInit(): void {
    if (!this.#unsentInit) return;
    const { codecs, width, height, bytes } = this.#unsentInit;
    this.#unsentInit = undefined;
    this.#socket?.send(JSON.stringify({ type: "init", codecs, width, height }));
    this.#socket?.send(bytes);
  }

  #keepsUp(): boolean {
    const socket = this.#socket;
    if (!socket) return false;
    if (socket.bufferedBytes() <= maxBehindBytes) {
      this.#behindSinceMs = undefined;
      return true;
    }
    const nowMs = this.#options.clock.monotonicMs();
    this.#behindSinceMs ??= nowMs;
    if (nowMs - this.#behindSinceMs > maxStuckMs) socket.terminate();
    return false;
  }
}
