import { statfs } from "node:fs/promises";
import type { Clock } from "../../common/clock.ts";
import { describeError } from "../../common/errors.ts";
import { versionText } from "../../common/version.ts";
import type { Catalog } from "../db/catalog.ts";
import type { NodeService } from "../nodes/node-service.ts";
import type { Finding, HealthService, PartState, PartStatus } from "./health-service.ts";

type Look = Omit<PartStatus, "checkedAtMs">;

export interface HealthServiceOptions {
  catalog: Pick<Catalog, "ping">;
  nodes: Pick<NodeService, "list">;
  /** As of the last look at it. */
  archive: () => PartStatus;
  /** The hub's own folder, on a local disk. */
  dataPath: string;
  clock: Clock;
}

const lowBytes = 1_000_000_000;
const emptyBytes = 50_000_000;

export function createHealthService(options: HealthServiceOptions): HealthService {
  const { clock, archive } = options;
  const startedAt = clock.monotonicMs();

  const look = async (part: () => Promise<Look>): Promise<PartStatus> => {
    let seen: Look;
    try {
      seen = await part();
    } catch (error) {
      seen = { state: "down", message: describeError(error), figures: {} };
    }
    return { ...seen, checkedAtMs: clock.wallMs() };
  };

  return {
    async status() {
      const parts = {
        catalog: await look(() => catalogStatus(options)),
        archive: archive(),
        nodes: await look(() => nodesStatus(options)),
        disk: await look(() => diskStatus(options)),
      };
      return {
        state: overall(parts),
        parts,
        softwareVersion: versionText,
        uptimeSeconds: Math.round((clock.monotonicMs() - startedAt) / 1000),
        checkedAtMs: clock.wallMs(),
      };
    },
  };
}

/** Without its catalog the hub can do nothing; without any other part it still answers. */
function overall(parts: Readonly<Record<string, PartStatus>>): PartState {
  if (parts.catalog?.state === "down") return "down";
  return Object.values(parts).every(({ state }) => state === "ok") ? "ok" : "degraded";
}

async function catalogStatus({ catalog, clock }: HealthServiceOptions): Promise<Look> {
  const startedAt = clock.monotonicMs();
  await catalog.ping();
  const answerMs = Math.round((clock.monotonicMs() - startedAt) * 10) / 10;
  return { state: "ok", message: "it answers", figures: { answer_ms: answerMs } };
}

async function nodesStatus({ nodes }: HealthServiceOptions): Promise<Look> {
  const all = await nodes.list();
  const count = (wanted: string) => all.filter(({ status }) => status === wanted).length;
  const figures = {
    online: count("online"),
    late: count("late"),
    offline: count("offline"),
    never_seen: count("never_seen"),
    critical_alerts: countAlerts(all, "critical"),
    warning_alerts: countAlerts(all, "warning"),
  };
  if (all.length === 0) {
    return { state: "ok", message: "no node has registered yet", findings: ["no_nodes"], figures };
  }
  const silent = all.length - figures.online;
  const alertCount = figures.critical_alerts + figures.warning_alerts;
  if (silent === 0 && alertCount === 0) return { state: "ok", message: "all nodes are online", figures };
  const findings: Finding[] = [
    ...(silent === 0 ? [] : ["nodes_silent" as const]),
    ...(alertCount === 0 ? [] : ["nodes_alert" as const]),
  ];
  const messages = [
    ...(silent === 0 ? [] : [`${silent} of ${all.length} nodes are not online`]),
    ...(alertCount === 0 ? [] : [`${alertCount} ${alertCount === 1 ? "alert" : "alerts"} from nodes`]),
  ];
  return { state: "degraded", message: messages.join("; "), findings, figures };
}

function countAlerts(nodes: Awaited<ReturnType<NodeService["list"]>>, wanted: string): number {
  return nodes.reduce(
    (sum, { alerts }) => sum + alerts.filter(({ severity }) => severity === wanted).length,
    0,
  );
}

async function diskStatus({ dataPath }: HealthServiceOptions): Promise<Look> {
  const { bavail, blocks, bsize } = await statfs(dataPath);
  const figures = { free_bytes: bavail * bsize, total_bytes: blocks * bsize };
  if (figures.free_bytes < emptyBytes) {
    return { state: "down", message: "the hub's disk is full", findings: ["full"], figures };
  }
  if (figures.free_bytes < lowBytes) {
    return {
      state: "degraded",
      message: "the hub's disk is nearly full",
      findings: ["nearly_full"],
      figures,
    };
  }
  return { state: "ok", message: "there is room", figures };
}
