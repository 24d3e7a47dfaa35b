import type { Clock } from "../../common/clock.ts";
import { newUuidV7 } from "../../common/ids.ts";
import type { AlertService, ParsedAlert } from "./alert-service.ts";
import type { AlertStore, NewAlert } from "./alert-store.ts";

/** A node's clock that says more than this is wrong. */
const oldestMs = 400 * 86_400_000;
const newestMs = 300_000;
/** What is over and older than so many others is forgotten; about 30 MB. */
const keptAlerts = 100_000;

export function createAlertService({ store, clock }: { store: AlertStore; clock: Clock }): AlertService {
  /** By node, what it said last: nearly every heartbeat says the same as the one before, and costs no write. */
  const lastTold = new Map<string, string>();

  return {
    async told(nodeId, alerts) {
      const said = JSON.stringify(alerts);
      if (lastTold.get(nodeId) === said) return;
      const nowMs = clock.wallMs();
      await store.report(
        nodeId,
        "node",
        alerts.map((alert) => newAlertOf(alert, nowMs)),
        nowMs,
      );
      lastTold.set(nodeId, said);
    },

    async noticed(nodeId, alerts) {
      const nowMs = clock.wallMs();
      const rows = alerts.map((alert) => ({
        ...alert,
        alertId: newUuidV7(nowMs),
        cameraId: null,
        raisedAtMs: nowMs,
        clearedAtMs: null,
        count: 1,
      }));
      await store.report(nodeId, "hub", rows, nowMs);
    },

    listActive: () => store.listActive(),

    async find(query) {
      // One more than asked for tells whether there is another page.
      const found = await store.find({ ...query, limit: query.limit + 1 });
      const last = found.length > query.limit ? found[query.limit - 1] : undefined;
      return {
        alerts: found.slice(0, query.limit),
        next: last && { startTimeMs: last.raisedAtMs, videoId: last.alertId },
      };
    },

    async prune() {
      await store.prune(keptAlerts);
    },
  };
}

/** A node that booted without knowing the time tells times that nobody would look for: the hub's stand for them. */
function newAlertOf(alert: ParsedAlert, nowMs: number): NewAlert {
  const isBelievable = (ms: number) => ms >= nowMs - oldestMs && ms <= nowMs + newestMs;
  const raisedAtMs = isBelievable(alert.raised_at) ? alert.raised_at : nowMs;
  const clearedAtMs =
    alert.cleared_at === null || (isBelievable(alert.cleared_at) && alert.cleared_at >= raisedAtMs)
      ? alert.cleared_at
      : Math.max(raisedAtMs, nowMs);
  return {
    alertId: alert.alert_id,
    cameraId: alert.camera_id,
    code: alert.code,
    severity: alert.severity,
    message: alert.message,
    params: alert.params,
    raisedAtMs,
    clearedAtMs,
    count: alert.count,
  };
}
