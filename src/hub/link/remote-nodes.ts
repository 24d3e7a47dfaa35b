import type * as v from "valibot";
import type {
  ConfigureRequest,
  ConnectionReport,
  EdgeStatus,
  ReloadReport,
  UploadList,
} from "../../common/protocol/control.ts";
import type { ConfigPush, NodeConfig } from "../../common/protocol/link-methods.ts";
import type { Asker } from "../http/asker.ts";

export interface NodeLinkState {
  isConnected: boolean;
  /** Wall time of the last change; undefined for a node that has not linked since the hub was started. */
  sinceMs: number | undefined;
  /** Why it is not connected. */
  reason: string | undefined;
}

/**
 * What a hub can have a node do, over the link. All throw `not_found` for a camera or node that is not known,
 * `unavailable` (with since when) for one that is not linked, `no_answer` when it takes too long, `not_supported` for a
 * release that cannot, and what the node itself refuses.
 */
export interface RemoteNodes {
  stateOf(nodeId: string): NodeLinkState;
  pause(cameraId: string, asker: Asker): Promise<void>;
  resume(cameraId: string, asker: Asker): Promise<void>;
  configure(cameraId: string, settings: v.InferInput<typeof ConfigureRequest>, asker: Asker): Promise<void>;
  /** JPEG of the newest keyframe. */
  snapshot(cameraId: string, asker: Asker): Promise<Uint8Array<ArrayBuffer>>;
  status(nodeId: string, asker: Asker): Promise<EdgeStatus>;
  uploads(nodeId: string, limit: number | undefined, asker: Asker): Promise<UploadList>;
  cancelUpload(nodeId: string, videoId: string, asker: Asker): Promise<void>;
  retryUpload(nodeId: string, videoId: string, asker: Asker): Promise<void>;
  checkArchive(nodeId: string, asker: Asker): Promise<ConnectionReport>;
  config(nodeId: string, asker: Asker): Promise<NodeConfig>;
  /** Throws `invalid_input` with every field that is wrong, `conflict` when the config is another one meanwhile. */
  applyConfig(nodeId: string, push: v.InferInput<typeof ConfigPush>, asker: Asker): Promise<ReloadReport>;
  /** The node reads its config file and secrets again. Throws `invalid_input` with every field that is wrong. */
  reload(nodeId: string, asker: Asker): Promise<ReloadReport>;
}
