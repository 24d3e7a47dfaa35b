/** What a viewer is told before the bytes of an init segment. */
export interface LiveInit {
  /** RFC 6381, video and audio joined by a comma. */
  codecs: string;
  width: number;
  height: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Somebody who watches a camera. The calls must not wait, and what they throw is not caught. */
export interface LiveViewer {
  /** Before the first fragment, and whenever a new run begins. */
  onInit(init: LiveInit): void;
  onFragment(bytes: Uint8Array<ArrayBuffer>, startsWithKeyframe: boolean): void;
  /** Nothing comes, since the camera is paused. */
  onStopped(): void;
  /** Nothing comes, since the node cannot be asked; it goes on by itself when it can. */
  onAway(detail: string): void;
}

/** Cameras that can be watched. */
export interface WatchableCameras {
  /** Throws `not_found` for a camera that is not known. The returned function ends it. */
  join(cameraId: string, viewer: LiveViewer): Promise<() => void>;
}
