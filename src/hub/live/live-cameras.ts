import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { LinkFrame } from "../../common/protocol/link-frame.ts";
import type { LiveInit, LiveViewer, WatchableCameras } from "./live-viewer.ts";

export interface LiveCamerasOptions {
  /** Throws `not_found`. */
  nodeOfCamera: (cameraId: string) => Promise<string>;
  /** Has the node send what the camera gives, and end it. Both are repeatable. */
  watch: (nodeId: string, cameraId: string) => Promise<unknown>;
  unwatch: (nodeId: string, cameraId: string) => Promise<unknown>;
  logger: Logger;
  /** Between two looks at what comes; default 20 s. */
  lookMs?: number;
}

interface Watched {
  nodeId: string;
  viewers: Set<LiveViewer>;
  /** Of the run that goes on; undefined while nothing comes. */
  init: LiveInit | undefined;
  /** The last fragment, where it can be shown by itself. */
  newest: Uint8Array<ArrayBuffer> | undefined;
  /** Whether a fragment came since the last look, and looks in a row that found none. */
  hasCome: boolean;
  silentLooks: number;
  timer: ReturnType<typeof setInterval>;
  /** Its node says that it is paused. */
  isStopped: boolean;
}

/**
 * A camera that sent nothing in three looks is asked for again: it was moved or added, or a request was lost. The
 * fragments of some cameras are half a minute long.
 */
const maxSilentLooks = 3;

/**
 * Fans out what nodes send of their cameras. A node sends while there is a viewer, and once, however many there are.
 * Nothing is kept but the init segment and the last fragment, so that who comes sees something at once.
 */
export class LiveCameras implements WatchableCameras {
  readonly #options: LiveCamerasOptions;
  readonly #watched = new Map<string, Watched>();
  /** Cameras whose node is being told that nobody watches. */
  readonly #ending = new Set<string>();

  constructor(options: LiveCamerasOptions) {
    this.#options = options;
  }

  /** Views of all cameras; those by HLS of one camera are one. */
  get viewerCount(): number {
    return [...this.#watched.values()].reduce((sum, { viewers }) => sum + viewers.size, 0);
  }

  async join(cameraId: string, viewer: LiveViewer): Promise<() => void> {
    const nodeId = await this.#options.nodeOfCamera(cameraId);
    let watched = this.#watched.get(cameraId);
    if (watched) {
      if (this.#move(nodeId, cameraId, watched)) void this.#begin(cameraId, watched);
    } else {
      watched = {
        ...{ nodeId, viewers: new Set(), init: undefined, newest: undefined, hasCome: true, silentLooks: 0 },
        isStopped: false,
        timer: setInterval(() => this.#look(cameraId), this.#options.lookMs ?? 20_000),
      };
      this.#watched.set(cameraId, watched);
      void this.#begin(cameraId, watched);
    }
    watched.viewers.add(viewer);
    if (watched.init) viewer.onInit(watched.init);
    if (watched.newest) viewer.onFragment(watched.newest, true);
    if (watched.isStopped) viewer.onStopped();
    return () => this.#leave(cameraId, viewer);
  }

  /** Frames of a camera that is not the node's are nobody's. */
  onFrame(nodeId: string, { header, payload }: LinkFrame): void {
    if ("id" in header) return;
    const watched = this.#watched.get(header.camera_id);
    if (watched?.nodeId !== nodeId) {
      if (!watched) this.#end(header.camera_id, nodeId);
      return;
    }
    if (header.type === "live_stopped") {
      forget(watched);
      watched.isStopped = true;
      for (const viewer of watched.viewers) viewer.onStopped();
    } else if (header.type === "live_init") {
      const { codecs, width, height } = header;
      watched.isStopped = false;
      watched.init = { codecs, width, height, bytes: payload };
      watched.newest = undefined;
      for (const viewer of watched.viewers) viewer.onInit(watched.init);
    } else if (watched.init) {
      watched.hasCome = true;
      watched.newest = header.starts_with_keyframe ? payload : undefined;
      for (const viewer of watched.viewers) viewer.onFragment(payload, header.starts_with_keyframe);
    }
  }

  onLinked(nodeId: string): void {
    for (const [cameraId, watched] of this.#watched) {
      if (watched.nodeId === nodeId) void this.#begin(cameraId, watched);
    }
  }

  onLost(nodeId: string): void {
    for (const watched of this.#watched.values()) {
      if (watched.nodeId !== nodeId) continue;
      forget(watched);
      for (const viewer of watched.viewers) viewer.onAway(`node ${nodeId} is not linked to this hub`);
    }
  }

  #leave(cameraId: string, viewer: LiveViewer): void {
    const watched = this.#watched.get(cameraId);
    if (!watched?.viewers.delete(viewer) || watched.viewers.size > 0) return;
    clearInterval(watched.timer);
    this.#watched.delete(cameraId);
    this.#end(cameraId, watched.nodeId);
  }

  /** True when it is another node's now; the viewers it had there see it from here, too. */
  #move(nodeId: string, cameraId: string, watched: Watched): boolean {
    if (watched.nodeId === nodeId) return false;
    this.#end(cameraId, watched.nodeId);
    watched.nodeId = nodeId;
    forget(watched);
    return true;
  }

  #look(cameraId: string): void {
    const watched = this.#watched.get(cameraId);
    if (!watched) return;
    watched.silentLooks = watched.hasCome ? 0 : watched.silentLooks + 1;
    watched.hasCome = false;
    if (watched.silentLooks < maxSilentLooks) return;
    watched.newest = undefined;
    if (!watched.isStopped) {
      for (const viewer of watched.viewers) viewer.onAway("the camera gives no pictures now");
    }
    void this.#begin(cameraId, watched, { isAgain: true });
  }

  /** Never rejects. */
  async #begin(cameraId: string, watched: Watched, { isAgain = false } = {}): Promise<void> {
    const { nodeOfCamera, watch, logger } = this.#options;
    try {
      if (isAgain) this.#move(await nodeOfCamera(cameraId), cameraId, watched);
      await watch(watched.nodeId, cameraId);
    } catch (error) {
      if (errorCodeOf(error) === "internal") {
        logger.error("a camera cannot be watched", { camera_id: cameraId, ...errorFields(error) });
      }
      const detail = error instanceof AppError ? error.message : "the camera cannot be watched";
      for (const viewer of watched.viewers) viewer.onAway(detail);
    }
  }

  /** A node that does not hear it is told again with the next frame that it sends. */
  #end(cameraId: string, nodeId: string): void {
    if (this.#ending.has(cameraId)) return;
    this.#ending.add(cameraId);
    const done = () => this.#ending.delete(cameraId);
    this.#options.unwatch(nodeId, cameraId).then(done, done);
  }
}

function forget(watched: Watched): void {
  watched.init = undefined;
  watched.newest = undefined;
  watched.isStopped = false;
}
