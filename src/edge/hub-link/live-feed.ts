import { AppError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Fragment } from "../../common/mp4/fragment.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";
import { formatLinkFrame, type LinkFrameHeader } from "../../common/protocol/link-frame.ts";
import type { CameraWatcher } from "../camera/camera-watcher.ts";

export interface LiveFeedOptions {
  logger: Logger;
  watch: (cameraId: string, watcher: CameraWatcher) => () => void;
  sink: {
    /** Throws for what cannot be sent. */
    sendFrame(frame: Uint8Array<ArrayBuffer>): void;
    bufferedBytes(): number;
  };
}

/** As many as a node may have. */
const maxWatched = 64;
/** A wire that is so far behind gets the next keyframe when it has caught up, and nothing until then. */
const maxBehindBytes = 512 * 1024;

/**
 * Sends what cameras give over one connection while somebody watches there. One upload, however many watch; a slow
 * wire loses fragments, never memory, and the recording does not notice.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #watched = new Map<string, () => void>();

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /** Repeatable; the init segment comes again then. Throws `not_found`. */
  start(cameraId: string): void {
    this.stop(cameraId);
    if (this.#watched.size >= maxWatched)
      throw new AppError("unavailable", `${maxWatched} cameras are watched`);
    this.#watched.set(cameraId, this.#options.watch(cameraId, this.#watcherOf(cameraId)));
    this.#options.logger.debug("somebody watches", { camera_id: cameraId });
  }

  /** Repeatable. */
  stop(cameraId: string): void {
    const end = this.#watched.get(cameraId);
    if (!end) return;
    end();
    this.#watched.delete(cameraId);
    this.#options.logger.debug("nobody watches", { camera_id: cameraId });
  }

  stopAll(): void {
    for (const cameraId of [...this.#watched.keys()]) this.stop(cameraId);
  }

  #watcherOf(camera_id: string): CameraWatcher {
    const { sink } = this.#options;
    let waitsForKeyframe = true;
    /** Of the run that goes on, until it has been sent: without it its fragments are nothing. */
    let unsentInit: InitSegment | undefined;
    const sendInit = () => {
      if (unsentInit && this.#send(initHeaderOf(camera_id, unsentInit), unsentInit.bytes))
        unsentInit = undefined;
      return unsentInit === undefined;
    };
    const sendFragment = ({ bytes, startsWithKeyframe }: Fragment) => {
      if (sink.bufferedBytes() > maxBehindBytes || !sendInit()) return false;
      return this.#send(
        { type: "live_fragment", camera_id, starts_with_keyframe: startsWithKeyframe },
        bytes,
      );
    };
    return {
      onInit: (init) => {
        waitsForKeyframe = true;
        unsentInit = init;
        sendInit();
      },
      onFragment: (fragment) => {
        if (waitsForKeyframe && !fragment.startsWithKeyframe) return;
        waitsForKeyframe = !sendFragment(fragment);
      },
      onStopped: () => {
        unsentInit = undefined;
        this.#send({ type: "live_stopped", camera_id }, new Uint8Array());
      },
    };
  }

  /** False for what could not be sent: a fragment over the link's limit, or a wire that is behind. Never throws. */
  #send(header: LinkFrameHeader, payload: Uint8Array): boolean {
    try {
      this.#options.sink.sendFrame(formatLinkFrame({ header, payload }));
      return true;
    } catch {
      return false;
    }
  }
}

function initHeaderOf(camera_id: string, { codec, video }: InitSegment): LinkFrameHeader {
  return { type: "live_init", camera_id, codecs: codec, width: video.width, height: video.height };
}
