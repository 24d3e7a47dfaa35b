import type { AlertParams, AlertSeverity } from "../../common/protocol/alert.ts";
import type { Alert, AlertQuery, AlertSource, AlertStore } from "../alerts/alert-store.ts";
import { jsonArgument } from "./json-argument.ts";
import type { SqlValue } from "./libsql-connection.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";

const upsert = `
  INSERT INTO alerts (alert_id, camera_id, code, severity, message, params, raised_at_ms, cleared_at_ms, count,
    node_id, source, created_at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, ?2, ?3, ?4
  FROM json_each(?1) WHERE true
  ON CONFLICT (alert_id) DO UPDATE SET severity = excluded.severity, message = excluded.message,
    params = excluded.params, cleared_at_ms = excluded.cleared_at_ms, count = excluded.count
  WHERE node_id = excluded.node_id AND source = excluded.source`;

const endOthers = `
  UPDATE alerts SET cleared_at_ms = max(raised_at_ms, ?1)
  WHERE cleared_at_ms IS NULL AND node_id = ?2 AND source = ?3
    AND alert_id NOT IN (SELECT value FROM json_each(?4))`;

const columns =
  "alert_id, node_id, camera_id, source, code, severity, message, params, raised_at_ms, cleared_at_ms, count, created_at_ms";

/** Few among many: to sort them is less than to go through the history, which is what SQLite takes by itself. */
const active = "alerts INDEXED BY alerts_active";

export function createLibsqlAlertStore(database: LibsqlDatabase): AlertStore {
  return {
    async report(nodeId, source, alerts, nowMs) {
      const rows = alerts.map((alert) => [
        ...[alert.alertId, alert.cameraId, alert.code, alert.severity, alert.message],
        ...[JSON.stringify(alert.params), alert.raisedAtMs, alert.clearedAtMs, alert.count],
      ]);
      const ids = alerts.map(({ alertId }) => alertId);
      await database.write([
        { sql: upsert, args: [jsonArgument(rows), nodeId, source, nowMs] },
        { sql: endOthers, args: [nowMs, nodeId, source, jsonArgument(ids)] },
      ]);
    },

    async listActive() {
      const rows = await database.read(
        `SELECT ${columns} FROM ${active} WHERE cleared_at_ms IS NULL ORDER BY raised_at_ms, alert_id`,
      );
      return rows.map(alertOfRow);
    },

    async find(query) {
      const { conditions, args } = conditionsOf(query);
      const direction = query.order === "newest_first" ? "DESC" : "ASC";
      const rows = await database.read(
        `SELECT ${columns} FROM ${query.isActive ? active : "alerts"} WHERE ${conditions}
         ORDER BY raised_at_ms ${direction}, alert_id ${direction} LIMIT ?`,
        [...args, query.limit],
      );
      return rows.map(alertOfRow);
    },

    async prune(keep) {
      const [result] = await database.write([
        {
          sql: `DELETE FROM alerts WHERE cleared_at_ms IS NOT NULL AND raised_at_ms <
            (SELECT raised_at_ms FROM alerts ORDER BY raised_at_ms DESC, alert_id DESC LIMIT 1 OFFSET ?)`,
          args: [keep],
        },
      ]);
      return result?.rowsAffected ?? 0;
    },
  };
}

function conditionsOf(query: AlertQuery): { conditions: string; args: SqlValue[] } {
  const { isActive, nodeIds, cameraIds, severities, after, order } = query;
  const parts = ["true"];
  const args: SqlValue[] = [];
  if (isActive !== undefined) parts.push(`cleared_at_ms IS ${isActive ? "" : "NOT "}NULL`);
  const lists = { node_id: nodeIds, camera_id: cameraIds, severity: severities };
  for (const [column, values] of Object.entries(lists)) {
    if (!values) continue;
    parts.push(`${column} IN (${values.map(() => "?").join(", ")})`);
    args.push(...values);
  }
  if (after) {
    parts.push(`(raised_at_ms, alert_id) ${order === "newest_first" ? "<" : ">"} (?, ?)`);
    args.push(after.startTimeMs, after.videoId);
  }
  return { conditions: parts.join(" AND "), args };
}

function alertOfRow(row: SqlValue[]): Alert {
  return {
    alertId: row[0] as string,
    nodeId: row[1] as string,
    cameraId: row[2] as string | null,
    source: row[3] as AlertSource,
    code: row[4] as string,
    severity: row[5] as AlertSeverity,
    message: row[6] as string,
    params: JSON.parse(row[7] as string) as AlertParams,
    raisedAtMs: row[8] as number,
    clearedAtMs: row[9] as number | null,
    count: row[10] as number,
    createdAtMs: row[11] as number,
  };
}
