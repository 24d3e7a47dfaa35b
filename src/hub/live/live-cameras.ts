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
}

interface Watched {
  nodeId: string;
  viewers: Set<LiveViewer>;
  /** Of the run that goes on; undefined while nothing comes. */
  init: LiveInit | undefined;
}

/**
 * Fans out what nodes send of their cameras. A node sends while there is a viewer, and once, however many there are.
 * Nothing is kept but the init segment.
 */
export class LiveCameras implements WatchableCameras {
  readonly #options: LiveCamerasOptions;
  readonly #watched = new Map<string, Watched>();
  /** Cameras whose node is being told that nobody watches. */
  readonly #ending = new Set<string>();

  constructor(options: LiveCamerasOptions) {
    this.#options = options;
  }

  async join(cameraId: string, viewer: LiveViewer): Promise<() => void> {
    const nodeId = await this.#options.nodeOfCamera(cameraId);
    let watched = this.#watched.get(cameraId);
    if (watched && watched.nodeId !== nodeId) {
      // It was moved to another node; the viewers it had there see it from here, too.
      this.#end(cameraId, watched.nodeId);
      watched = { ...watched, nodeId, init: undefined };
      this.#watched.set(cameraId, watched);
      void this.#begin(cameraId, watched);
    }
    if (!watched) {
      watched = { nodeId, viewers: new Set(), init: undefined };
      this.#watched.set(cameraId, watched);
      void this.#begin(cameraId, watched);
    }
    watched.viewers.add(viewer);
    if (watched.init) viewer.onInit(watched.init);
    return () => this.#leave(cameraId, viewer);
  }

  /** Frames of a camera that is not the node's are nobody's. */
  onFrame(nodeId: string, { header, payload }: LinkFrame): void {
    if (header.type === "snapshot") return;
    const watched = this.#watched.get(header.camera_id);
    if (watched?.nodeId !== nodeId) {
      if (!watched) this.#end(header.camera_id, nodeId);
      return;
    }
    if (header.type === "live_init") {
      const { codecs, width, height } = header;
      watched.init = { codecs, width, height, bytes: payload };
      for (const viewer of watched.viewers) viewer.onInit(watched.init);
    } else if (watched.init) {
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
      watched.init = undefined;
      for (const viewer of watched.viewers) viewer.onAway(`node ${nodeId} is not linked to this hub`);
    }
  }

  #leave(cameraId: string, viewer: LiveViewer): void {
    const watched = this.#watched.get(cameraId);
    if (!watched?.viewers.delete(viewer) || watched.viewers.size > 0) return;
    this.#watched.delete(cameraId);
    this.#end(cameraId, watched.nodeId);
  }

  /** Never rejects. */
  async #begin(cameraId: string, watched: Watched): Promise<void> {
    const { watch, logger } = this.#options;
    try {
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
