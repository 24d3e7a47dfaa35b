import * as v from "valibot";
import { AlertCode, AlertParams, AlertSeverity } from "../../common/protocol/alert.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { Alert } from "./alert-store.ts";

const time = v.pipe(v.string(), v.isoTimestamp());

/** An alert as the API answers it. */
export const AlertJson = v.pipe(
  v.object({
    alert_id: v.string(),
    node_id: v.string(),
    camera_id: v.pipe(v.nullable(v.string()), v.description("Null: of the whole node.")),
    source: v.pipe(
      v.picklist(["node", "hub"]),
      v.description("Who says so: the node, or the hub of a node that says nothing any more."),
    ),
    code: v.pipe(AlertCode, v.description("A word that stays; a newer node may have others.")),
    severity: v.pipe(
      AlertSeverity,
      v.description("critical: footage is being lost, or soon will be. warning: somebody should look at it."),
    ),
    message: v.string(),
    params: v.pipe(AlertParams, v.description("The figures in the message.")),
    raised_at: time,
    cleared_at: v.pipe(v.nullable(time), v.description("Null while it goes on.")),
    count: v.pipe(v.number(), v.integer(), v.description("How often it was raised from then till then.")),
    created_at: v.pipe(time, v.description("When the hub learned of it.")),
  }),
  v.metadata({ ref: "Alert" }),
);

export const AlertPageJson = v.object({
  alerts: v.array(AlertJson),
  next_cursor: v.pipe(
    v.nullable(v.string()),
    v.description(
      "Pass it as `cursor`, with everything else as before, for the next page; null on the last.",
    ),
  ),
});

export function formatAlert(alert: Alert): v.InferInput<typeof AlertJson> {
  return {
    alert_id: alert.alertId,
    node_id: alert.nodeId,
    camera_id: alert.cameraId,
    source: alert.source,
    code: alert.code,
    severity: alert.severity,
    message: alert.message,
    params: alert.params,
    raised_at: formatWireTime(alert.raisedAtMs),
    cleared_at: alert.clearedAtMs === null ? null : formatWireTime(alert.clearedAtMs),
    count: alert.count,
    created_at: formatWireTime(alert.createdAtMs),
  };
}
