export const partStates = ["ok", "degraded", "down"] as const;
export type PartState = (typeof partStates)[number];

/** What was found out about a part, under names that stay: pages say it in their own language. */
export type Finding =
  | "not_looked_at"
  | "no_folder"
  | "empty_folder"
  | "no_identity"
  | "bad_identity"
  | "other_archive"
  | "not_writable"
  | "nearly_full"
  | "full"
  | "no_nodes"
  | "nodes_silent"
  | "nodes_alert";

export interface PartStatus {
  state: PartState;
  /** In a sentence, for people. */
  message: string;
  /** Absent where there is nothing to say, and where `message` is what a program said. */
  findings?: readonly Finding[];
  /** Numbers and ids of this part, by name with unit: `free_bytes`, `archive_id`. */
  figures: Readonly<Record<string, number | string | null>>;
  /** When it was looked at, ms since 1970 UTC. */
  checkedAtMs: number;
}

export const partNames = ["catalog", "archive", "nodes", "disk"] as const;
export type PartName = (typeof partNames)[number];

/** The original design's SystemStatus. */
export interface SystemStatus {
  /** The worst of the parts; nodes alone never make the whole `down`. */
  state: PartState;
  parts: Readonly<Record<PartName, PartStatus>>;
  softwareVersion: string;
  uptimeSeconds: number;
  checkedAtMs: number;
}

export interface HealthService {
  /** Never throws and never waits for a hung archive: that part tells of the last look at it. */
  status(): Promise<SystemStatus>;
}
