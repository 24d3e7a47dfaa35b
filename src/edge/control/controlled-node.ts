import type { ConnectionReport, EdgeStatus, ReloadReport, Upload } from "../../common/protocol/control.ts";
import type { SegmentIndexPage, SegmentList } from "../../common/protocol/footage.ts";
import type { CameraWatcher } from "../camera/camera-watcher.ts";

export interface CameraSettings {
  width?: number;
  height?: number;
  fps?: number;
  bitrateBps?: number;
}

export interface ControlledCamera {
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Throws `invalid_input` for what the source cannot take. */
  configure(settings: CameraSettings): Promise<void>;
  /** Shows what the camera gives from now on, until the returned function is called. */
  watch(watcher: CameraWatcher): () => void;
  /** JPEG. Throws `unavailable` when there is no picture yet. */
  snapshot(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** What the node has and the hub has not yet. */
export interface ControlledFootage {
  /** Throws `io`. */
  list(query: FootageQuery): Promise<SegmentList>;
  /** A page of it from that fragment on. Throws `not_found`, `corrupt_file`, `io`. */
  index(videoId: string, firstFragment: number, signal: AbortSignal): Promise<SegmentIndexPage>;
  /**
   * Bytes [start, end) of its file, or as many of them as take no longer than a moment, in small reads and no faster than
   * the config allows. Throws `not_found`, `invalid_input` for what is not written, `io`, `cancelled`.
   */
  read(
    videoId: string,
    range: { start: number; end: number },
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Puts it in front of the upload queue, once it is closed. False when it has nothing to wait for. Throws `io`. */
  prioritise(videoId: string): Promise<boolean>;
}

/** What overlaps [fromMs, toMs), by id; what is left out asks for everything. */
export interface FootageQuery {
  cameraId?: string | undefined;
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** The last id of the page before. */
  after?: string | undefined;
  limit: number;
}

/** What can be asked of a running edge from outside; edge.ts joins it together. */
export interface ControlledNode {
  status(): Promise<EdgeStatus>;
  camera(id: string): ControlledCamera | undefined;
  readonly footage: ControlledFootage;
  /** In the order they will be tried. */
  uploads(): readonly Upload[];
  /** False when no such segment waits. */
  cancelUpload(videoId: string): boolean;
  retryUpload(videoId: string): boolean;
  checkArchive(): Promise<ConnectionReport>;
  /** Puts the config file as it is now in force. Throws `invalid_config` with every error; then the old one stays. */
  reload(): Promise<ReloadReport>;
  /**
   * Replaces the config file by `text` and puts it in force. `expectedVersion` is the one that the change was based on,
   * as `readConfig` gave it: another one in the file is a `conflict`. The same text again changes nothing. Throws
   * `invalid_config` with every error, also for what can only be changed on the node, and `io` when the file cannot be
   * written.
   */
  applyConfig(text: string, expectedVersion: string): Promise<ReloadReport>;
  /** The config file, without comments, secrets hidden; in the format that `applyConfig` takes. Throws `conflict`. */
  readConfig(): Promise<{ text: string; version: string }>;
}
