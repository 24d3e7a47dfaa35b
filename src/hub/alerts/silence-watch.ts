import { type Clock, sleep } from "../../common/clock.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { NodeInfo } from "../nodes/node-service.ts";
import type { AlertService } from "./alert-service.ts";
import type { Alert } from "./alert-store.ts";

export interface SilenceWatchOptions {
  nodes: () => Promise<readonly Pick<NodeInfo, "nodeId" | "status" | "lastHeartbeatMs">[]>;
  alerts: Pick<AlertService, "noticed" | "listActive" | "prune">;
  clock: Clock;
  logger: Logger;
  /** Between two looks. */
  intervalMs: number;
  /** After a start every node looks silent, until it had time to speak. */
  graceMs: number;
}

export const silentCode = "node_offline";
const pruneEveryMs = 600_000;

/** Notices nodes that have fallen silent, which cannot say so themselves. Until aborted; never rejects. */
export async function runSilenceWatch(options: SilenceWatchOptions, signal: AbortSignal): Promise<void> {
  const { nodes, alerts, clock, logger, intervalMs, graceMs } = options;
  const startedMs = clock.monotonicMs();
  let prunedMs = startedMs;
  while (!signal.aborted) {
    await sleep(intervalMs, signal);
    if (signal.aborted) return;
    const nowMs = clock.monotonicMs();
    try {
      const plan = planSilence(await nodes(), await alerts.listActive(), nowMs - startedMs >= graceMs);
      for (const { nodeId, lastHeartbeatMs } of plan.silent) {
        const since = formatWireTime(lastHeartbeatMs);
        await alerts.noticed(nodeId, [
          {
            code: silentCode,
            severity: "critical",
            message: `no heartbeat since ${since}: the node is off, or cannot reach this hub`,
            params: { last_heartbeat: since },
          },
        ]);
        logger.warning("a node has fallen silent", { node_id: nodeId, last_heartbeat: since });
      }
      for (const nodeId of plan.back) {
        await alerts.noticed(nodeId, []);
        logger.info("a node is heard again", { node_id: nodeId });
      }
      if (nowMs - prunedMs >= pruneEveryMs) {
        prunedMs = nowMs;
        await alerts.prune();
      }
    } catch (error) {
      logger.error("silent nodes could not be looked for", errorFields(error));
    }
  }
}

/** Which nodes have newly fallen silent, and which of those that had are back, or gone for good. Pure. */
export function planSilence(
  nodes: readonly Pick<NodeInfo, "nodeId" | "status" | "lastHeartbeatMs">[],
  active: readonly Pick<Alert, "nodeId" | "source" | "code">[],
  mayRaise: boolean,
): { silent: { nodeId: string; lastHeartbeatMs: number }[]; back: string[] } {
  const known = new Set(
    active.filter(({ source, code }) => source === "hub" && code === silentCode).map(({ nodeId }) => nodeId),
  );
  const offline = nodes.filter(({ status }) => status === "offline");
  const isOffline = new Set(offline.map(({ nodeId }) => nodeId));
  return {
    silent: offline.flatMap(({ nodeId, lastHeartbeatMs }) =>
      mayRaise && !known.has(nodeId) && lastHeartbeatMs !== null ? [{ nodeId, lastHeartbeatMs }] : [],
    ),
    back: [...known].filter((nodeId) => !isOffline.has(nodeId)),
  };
}
