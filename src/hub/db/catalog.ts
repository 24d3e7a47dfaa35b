import type { GapCause } from "../../common/protocol/gap.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";

/**
 * `available`: whole, under its path. `damaged`: a check found something wrong. `missing`: the archive has no such
 * file. `deleted`: removed by retention or a person; the row stays so that the hole has a cause.
 */
export const videoStatuses = ["available", "damaged", "missing", "deleted"] as const;
export type VideoStatus = (typeof videoStatuses)[number];

/** A segment in the catalog: the identity of its file, where it is, and what people say of it. Times in ms since 1970 UTC. */
export interface Video extends SegmentIdentity {
  /** Relative to the archive's root. */
  filePath: string;
  fileSizeBytes: number;
  fileSha256: string;
  /** When the hub learned of it. */
  createdAtMs: number;
  status: VideoStatus;
  notes: string;
}

/** What an edge announces; the rest is the hub's. */
export type NewVideo = Omit<Video, "createdAtMs" | "status" | "notes">;

export type SaveResult =
  | { result: "stored" }
  | { result: "duplicate" }
  /** The id or the path is known with other content. Nothing was changed. */
  | { result: "conflict"; knownSha256: string; detail: string };

export type SortOrder = "newest_first" | "oldest_first";

/** Where a page begins: strictly after this video in the order asked for. */
export interface PageKey {
  startTimeMs: number;
  videoId: string;
}

/** Videos that overlap [fromMs, toMs); undefined means everything. All conditions must hold. */
export interface VideoQuery {
  cameraIds?: readonly string[];
  fromMs?: number;
  toMs?: number;
  nodeIds?: readonly string[];
  statuses?: readonly VideoStatus[];
  minDurationMs?: number;
  maxDurationMs?: number;
  minSizeBytes?: number;
  maxSizeBytes?: number;
  /** Local weekday and time of day of the start, in each video's own zone. ISO: Monday is 1. */
  weekdays?: readonly number[];
  /** Minutes since local midnight, [from, to); from > to passes over midnight. */
  timeOfDay?: { fromMinute: number; toMinute: number };
  /** Literal text, any case, in the file name or the notes. */
  text?: string;
  order: SortOrder;
  after?: PageKey;
  limit: number;
}

export interface TimeSpan {
  fromMs: number;
  toMs: number;
}

/** Time for which a camera should have a video and has none, [from, to), as its node told. */
export interface Gap {
  gapId: string;
  cameraId: string;
  nodeId: string;
  fromMs: number;
  toMs: number;
  cause: GapCause;
  detail: string;
  /** When the hub learned of it. */
  createdAtMs: number;
  /** What of it no video of the catalog covers, in order: a node whose spool was restored does not know what it sent. */
  missing: readonly TimeSpan[];
}

/** Its cause may be one that only a newer release knows. */
export type NewGap = Omit<Gap, "createdAtMs" | "cause" | "missing"> & { cause: string };

/** Gaps that overlap [fromMs, toMs); the order is that of their starts. */
export interface GapQuery {
  cameraIds?: readonly string[];
  fromMs?: number;
  toMs?: number;
  order: SortOrder;
  /** The start and the id of a gap. */
  after?: PageKey;
  limit: number;
}

export interface CameraRow {
  cameraId: string;
  nodeId: string;
  name: string;
  source: string;
}

export interface NodeRow {
  nodeId: string;
  ipAddress: string;
  registeredAtMs: number;
  lastHeartbeatMs: number | null;
  softwareVersion: string;
  configVersion: string;
  timeZone: string;
  segmentSeconds: number;
  /** The last heartbeat's body, as JSON of the protocol's HeartbeatRequest; null before the first. */
  lastHeartbeatJson: string | null;
}

export type NewNode = Omit<NodeRow, "lastHeartbeatMs" | "lastHeartbeatJson">;

export interface Beat {
  atMs: number;
  ipAddress: string;
  softwareVersion: string;
  configVersion: string;
  /** The request's body as it came, after validation. */
  json: string;
}

/** The metadata of every video, camera and node. Adapters pass one contract suite (tests/contract/catalog.contract.ts). */
export interface Catalog {
  /**
   * Stores new videos, each atomically; one result per video in the order given. Idempotent by id and content. A
   * camera that is not known yet is made, with its id for a name. What is `stored` survives a power cut.
   */
  saveVideos(videos: readonly NewVideo[], nowMs: number): Promise<SaveResult[]>;
  findVideo(videoId: string): Promise<Video | undefined>;
  /**
   * At most `limit` videos in the order asked for; cost does not grow with the page's depth. Throws `timeout` when so
   * few match that looking for them takes too long, `cancelled` when `signal` aborts in a search that takes a while.
   */
  findVideos(query: VideoQuery, signal?: AbortSignal): Promise<Video[]>;
  /** The newest video of every camera that has one. */
  findNewestVideos(): Promise<Video[]>;
  /** Nothing happens when there is no such video; so do the next two. */
  updateVideoStatus(videoId: string, status: VideoStatus): Promise<void>;
  updateVideoNotes(videoId: string, notes: string): Promise<void>;
  deleteVideo(videoId: string): Promise<void>;
  /** Local days (`2025-09-23`) on which a camera has videos, newest first. */
  findDays(cameraId: string, limit: number): Promise<string[]>;

  /** Idempotent by id: a known gap is left as it is. Answers how many were not known; those survive a power cut. */
  saveGaps(gaps: readonly NewGap[], nowMs: number): Promise<number>;
  /** At most `limit` gaps in the order asked for. */
  findGaps(query: GapQuery): Promise<Gap[]>;

  /** Stores a node and its cameras, or what is new about them; the last heartbeat stays. A camera has one node: the last. */
  saveNode(node: NewNode, cameras: readonly CameraRow[]): Promise<void>;
  /** False when the node is not known. */
  saveHeartbeat(nodeId: string, beat: Beat): Promise<boolean>;
  listNodes(): Promise<NodeRow[]>;
  listCameras(): Promise<CameraRow[]>;

  /** The bookmark of a node (see protocol/bookmark.ts); null where it has none. */
  findBookmark(nodeId: string): Promise<string | null>;
  /** Does nothing unless the bookmark is `from`. Answers with what it is now; that survives a power cut. */
  moveBookmark(nodeId: string, move: { from: string | null; to: string }): Promise<string | null>;

  /** Throws when the catalog cannot answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
