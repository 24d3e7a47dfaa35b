import type {
  CameraState,
  CameraStatus,
  ConfigStatus,
  HeartbeatRequest,
  RegisterRequest,
  SpoolStatus,
  SystemInfo,
  UploadStatus,
} from "../../common/protocol/node.ts";
import type { Alert } from "../alerts/alert-store.ts";
import type { Video } from "../db/catalog.ts";

/**
 * By the age of the last heartbeat, on the hub's clock, in heartbeat intervals as the hub asks for them: `online` up
 * to 3, `late` up to 12, then `offline`. `never_seen`: registered, but no heartbeat came.
 */
export type NodeState = "online" | "late" | "offline" | "never_seen";

/** The original design's NodeInfo. Times in ms since 1970 UTC. */
export interface NodeInfo {
  nodeId: string;
  cameraIds: string[];
  /** Where its last request came from. */
  ipAddress: string;
  registeredAtMs: number;
  lastHeartbeatMs: number | null;
  status: NodeState;
  softwareVersion: string;
  configVersion: string;
  timeZone: string;
  segmentSeconds: number;
  /** From the last heartbeat; null before the first. */
  systemInfo: SystemInfo | null;
  spool: SpoolStatus | null;
  /** Null before the first, and from nodes of an older release. */
  uploads: UploadStatus | null;
  cameras: CameraStatus[];
  errorCounts: Readonly<Record<string, number>>;
  /** Which config it goes by, and what of its file waits; null before it told. */
  config: ConfigStatus | null;
  /** How the node sees its link to the hub; null before it told. */
  link: NonNullable<ParsedHeartbeat["link"]> | null;
  /** What is wrong with it now, as it told and as the hub noticed; the oldest first. */
  alerts: readonly Alert[];
}

/** `unknown`: no word from its node that is younger than a node may be silent for. */
export type CameraOverviewState = CameraState | "unknown";

/** A camera as the wall shows it. */
export interface CameraOverview {
  cameraId: string;
  /** Name for people; the id where none was given. */
  name: string;
  nodeId: string;
  source: string;
  nodeStatus: NodeState;
  /** Of its node; null before the first. */
  lastHeartbeatMs: number | null;
  state: CameraOverviewState;
  /** Why it is not recording. */
  message: string | null;
  /** While it is paused, where its node knows since when. */
  pausedSinceMs: number | null;
  timeZone: string;
  newestVideo: Video | undefined;
}

/** The original design's IHealthMonitor, as far as it is about nodes. */
export interface NodeService {
  /** Idempotent. Throws `conflict` for a camera that another node, which is online, has. */
  register(request: ParsedRegister, ipAddress: string): Promise<RegisterAnswer>;
  heartbeat(nodeId: string, beat: ParsedHeartbeat, ipAddress: string): Promise<HeartbeatAnswer>;
  /** Every node, by id. */
  list(): Promise<NodeInfo[]>;
  /** Throws `not_found`. */
  find(nodeId: string): Promise<NodeInfo>;
  /** Every camera, by id. */
  cameras(): Promise<CameraOverview[]>;
  /** Throws `not_found`. */
  findCamera(cameraId: string): Promise<CameraOverview>;
}

export interface RegisterAnswer {
  archiveId: string | null;
  heartbeatIntervalSeconds: number;
  serverTimeMs: number;
}

export interface HeartbeatAnswer {
  registered: boolean;
  archiveId: string | null;
  serverTimeMs: number;
}

export type ParsedRegister = import("valibot").InferOutput<typeof RegisterRequest>;
export type ParsedHeartbeat = import("valibot").InferOutput<typeof HeartbeatRequest>;
