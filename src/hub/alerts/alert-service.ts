import type { InferOutput } from "valibot";
import type { ReportedAlert } from "../../common/protocol/alert.ts";
import type { Alert, AlertQuery } from "./alert-store.ts";

export type ParsedAlert = InferOutput<typeof ReportedAlert>;

export interface AlertPage {
  alerts: Alert[];
  /** Where the next page begins; undefined on the last one. */
  next: AlertQuery["after"];
}

export interface AlertService {
  /** What a node says in a heartbeat. Idempotent; the last one counts. */
  told(nodeId: string, alerts: readonly ParsedAlert[]): Promise<void>;
  /** What the hub itself finds wrong with a node; the empty list ends it. */
  noticed(
    nodeId: string,
    alerts: readonly Pick<Alert, "code" | "severity" | "message" | "params">[],
  ): Promise<void>;
  /** All that go on, the oldest first. */
  listActive(): Promise<Alert[]>;
  find(query: AlertQuery): Promise<AlertPage>;
  /** Deletes the oldest of what is over, where there is too much of it. */
  prune(): Promise<void>;
}
