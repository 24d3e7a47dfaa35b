import type { ConnectionReport, EdgeStatus, Upload } from "../../common/protocol/control.ts";

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
  /** JPEG. Throws `unavailable` when there is no picture yet. */
  snapshot(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** What can be asked of a running edge from outside; edge.ts joins it together. */
export interface ControlledNode {
  status(): Promise<EdgeStatus>;
  camera(id: string): ControlledCamera | undefined;
  /** In the order they will be tried. */
  uploads(): readonly Upload[];
  /** False when no such segment waits. */
  cancelUpload(videoId: string): boolean;
  retryUpload(videoId: string): boolean;
  checkArchive(): Promise<ConnectionReport>;
}
