import type { AlertParams, AlertSeverity } from "../../common/protocol/alert.ts";

/** What is or was wrong with a node. Times in ms since 1970 UTC. */
export interface Alert {
  /** UUIDv7. */
  alertId: string;
  nodeId: string;
  /** Null: of the whole node. */
  cameraId: string | null;
  /** Who says so: the node itself, or the hub, of a node that says nothing any more. */
  source: AlertSource;
  /** `camera_down`; a newer node may have some that this hub does not know. */
  code: string;
  severity: AlertSeverity;
  /** English, in a sentence. */
  message: string;
  /** The figures in the message. */
  params: AlertParams;
  raisedAtMs: number;
  /** Null while it goes on. */
  clearedAtMs: number | null;
  /** How often it was raised from then till then. */
  count: number;
  /** When the hub learned of it. */
  createdAtMs: number;
}

export type AlertSource = "node" | "hub";
export type NewAlert = Omit<Alert, "nodeId" | "source" | "createdAtMs">;

/** All conditions must hold; the order is that of when they were raised. */
export interface AlertQuery {
  isActive?: boolean;
  nodeIds?: readonly string[];
  cameraIds?: readonly string[];
  severities?: readonly AlertSeverity[];
  order: "newest_first" | "oldest_first";
  /** When an alert was raised, and its id. */
  after?: { startTimeMs: number; videoId: string };
  limit: number;
}

export interface AlertStore {
  /**
   * What a source says of a node: new ones are stored, known ones brought up to date (but for when they were raised),
   * and those of this source that go on and are not named any more are over since `nowMs`. All of it or nothing. An
   * id that another node or source has is left alone.
   */
  report(nodeId: string, source: AlertSource, alerts: readonly NewAlert[], nowMs: number): Promise<void>;
  /** All that go on, the oldest first. */
  listActive(): Promise<Alert[]>;
  /** At most `limit` in the order asked for. */
  find(query: AlertQuery): Promise<Alert[]>;
  /** Deletes what is over, but for about the newest `keep`. Answers how many. */
  prune(keep: number): Promise<number>;
}
