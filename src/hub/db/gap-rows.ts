import { knownGapCause } from "../../common/protocol/gap.ts";
import type { Gap, GapQuery, NewGap } from "./catalog.ts";
import type { SqlValue } from "./libsql-connection.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";

const insertGaps = `
  INSERT INTO gaps (gap_id, camera_id, node_id, from_ms, to_ms, cause, detail, created_at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, ?2
  FROM json_each(?1) WHERE true
  ON CONFLICT DO NOTHING`;

/** {@link Catalog.saveGaps} */
export async function saveGaps(
  database: LibsqlDatabase,
  gaps: readonly NewGap[],
  nowMs: number,
): Promise<number> {
  const rows = gaps.map((gap) => [
    ...[gap.gapId, gap.cameraId, gap.nodeId, gap.fromMs, gap.toMs, gap.cause, gap.detail],
  ]);
  const [result] = await database.write([{ sql: insertGaps, args: [JSON.stringify(rows), nowMs] }]);
  return result?.rowsAffected ?? 0;
}

/** {@link Catalog.findGaps} */
export async function findGaps(database: LibsqlDatabase, query: GapQuery): Promise<Gap[]> {
  const { cameraIds, fromMs, toMs, order, after, limit } = query;
  const [comparison, direction] = order === "newest_first" ? ["<", "DESC"] : [">", "ASC"];
  const conditions: { text: string; args: SqlValue[] }[] = [];
  if (cameraIds) {
    const places = cameraIds.map(() => "?").join(", ");
    conditions.push({ text: `camera_id IN (${places})`, args: [...cameraIds] });
  }
  if (toMs !== undefined) conditions.push({ text: "from_ms < ?", args: [toMs] });
  if (fromMs !== undefined) {
    // No gap is longer than the longest, so none that begins earlier reaches the range.
    const text = "to_ms > ? AND from_ms > ? - (SELECT max(to_ms - from_ms) FROM gaps)";
    conditions.push({ text, args: [fromMs, fromMs] });
  }
  if (after) {
    const { startTimeMs, videoId } = after;
    conditions.push({ text: `(from_ms, gap_id) ${comparison} (?, ?)`, args: [startTimeMs, videoId] });
  }
  const rows = await database.read(
    `SELECT gap_id, camera_id, node_id, from_ms, to_ms, cause, detail, created_at_ms FROM gaps
     WHERE ${["true", ...conditions.map(({ text }) => text)].join(" AND ")}
     ORDER BY from_ms ${direction}, gap_id ${direction} LIMIT ?`,
    [...conditions.flatMap(({ args }) => args), limit],
  );
  return rows.map(gapOfRow);
}

function gapOfRow(row: SqlValue[]): Gap {
  const [gapId, cameraId, nodeId, fromMs, toMs, cause, detail, createdAtMs] = row;
  return {
    gapId: gapId as string,
    cameraId: cameraId as string,
    nodeId: nodeId as string,
    fromMs: fromMs as number,
    toMs: toMs as number,
    cause: knownGapCause(cause as string),
    detail: detail as string,
    createdAtMs: createdAtMs as number,
  };
}
