/** What the first config of a node has to know. */
export interface Answers {
  nodeId: string;
  cameras: readonly CameraAnswer[];
  destination: DestinationAnswer;
  hubUrl: string;
  /** Where the API key will lie. */
  keyFile: string;
}

export type CameraAnswer =
  | { type: "test" }
  | { type: "file"; path: string }
  | { type: "rtsp"; url: string }
  | { type: "v4l2"; device: string }
  | { type: "rpicam"; camera: number };

export type DestinationAnswer =
  | { type: "path"; path: string }
  | { type: "nfs"; server: string; port: number | undefined; export: string }
  | {
      type: "smb";
      mode: "mount" | "client";
      server: string;
      port: number | undefined;
      share: string;
      path: string;
      username: string;
    };

/** A camera that was found on this machine. */
export interface FoundCamera {
  /** As {@link parseCamera} takes it. */
  text: string;
  /** What it calls itself. */
  name: string;
}
