import { knownGapCause } from "../../common/protocol/gap.ts";
import type { Gap, GapQuery, NewGap, TimeSpan } from "./catalog.ts";
import { jsonArgument } from "./json-argument.ts";
import type { SqlValue } from "./libsql-connection.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";
import { type Condition, joinConditions } from "./video-conditions.ts";

/** Between two videos less than this is no hole: two frames, and what milliseconds round off. */
const leastMs = 200;
/** Videos in the gaps of one page; more of them, and some gaps are answered as they were told. */
const maxFootage = 10_000;
/** Gaps longer than this are few, and looked for by their length. */
const longMs = 86_400_000;

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
  const [result] = await database.write([{ sql: insertGaps, args: [jsonArgument(rows), nowMs] }]);
  return result?.rowsAffected ?? 0;
}

/** {@link Catalog.findGaps} */
export async function findGaps(database: LibsqlDatabase, query: GapQuery): Promise<Gap[]> {
  const { fromMs, order, limit } = query;
  const found: Omit<Gap, "missing">[] = [];
  for (const { table, condition } of sourcesOf(fromMs)) {
    const { text, args } = joinConditions([condition, ...conditionsOf(query)]);
    const direction = order === "newest_first" ? "DESC" : "ASC";
    const rows = await database.read(
      `SELECT gap_id, camera_id, node_id, from_ms, to_ms, cause, detail, created_at_ms FROM ${table}
       WHERE ${text} ORDER BY from_ms ${direction}, gap_id ${direction} LIMIT ?`,
      [...args, limit],
    );
    found.push(...rows.map(gapOfRow));
  }
  const sign = order === "newest_first" ? -1 : 1;
  found.sort((a, b) => sign * (a.fromMs - b.fromMs || (a.gapId < b.gapId ? -1 : 1)));
  const gaps = found.slice(0, limit);
  const footage = await footageIn(database, gaps);
  return gaps.map((gap, i) => ({ ...gap, missing: without(gap, footage.get(i) ?? []) }));
}

/**
 * Where the gaps that reach over `fromMs` are: those that begin shortly before it or later, and the long ones. By the
 * longest alone, one of a year would have every gap of that year read.
 */
function sourcesOf(fromMs: number | undefined): { table: string; condition: Condition }[] {
  if (fromMs === undefined) return [{ table: "gaps", condition: { text: "true", args: [] } }];
  return [
    {
      table: "gaps",
      condition: {
        text: "from_ms > ? AND to_ms > ? AND to_ms - from_ms <= ?",
        args: [fromMs - longMs, fromMs, longMs],
      },
    },
    {
      table: "gaps INDEXED BY gaps_span",
      condition: { text: "to_ms - from_ms > ? AND to_ms > ?", args: [longMs, fromMs] },
    },
  ];
}

function conditionsOf({ cameraIds, toMs, order, after }: GapQuery): Condition[] {
  const places = cameraIds?.map(() => "?").join(", ");
  const comparison = order === "newest_first" ? "<" : ">";
  return [
    ...(cameraIds ? [{ text: `camera_id IN (${places})`, args: [...cameraIds] }] : []),
    ...(toMs === undefined ? [] : [{ text: "from_ms < ?", args: [toMs] }]),
    ...(after
      ? [{ text: `(from_ms, gap_id) ${comparison} (?, ?)`, args: [after.startTimeMs, after.videoId] }]
      : []),
  ];
}

/** By the place of the gap in `gaps`, without order. A picture in place of a camera explains a gap and does not fill it. */
async function footageIn(
  database: LibsqlDatabase,
  gaps: readonly Omit<Gap, "missing">[],
): Promise<Map<number, TimeSpan[]>> {
  const found = new Map<number, TimeSpan[]>();
  if (gaps.length === 0) return found;
  const spans = gaps.map(({ cameraId, fromMs, toMs }) => [cameraId, fromMs, toMs]);
  // No video is longer than the longest, so none that begins earlier reaches the gap.
  const rows = await database.read(
    `SELECT gap.key, v.start_time_ms, v.end_time_ms FROM json_each(?) gap CROSS JOIN videos v
     WHERE v.camera_id = gap.value ->> 0 AND v.start_time_ms < gap.value ->> 2
       AND v.start_time_ms > gap.value ->> 1 - (SELECT max(end_time_ms - start_time_ms) FROM videos)
       AND v.end_time_ms > gap.value ->> 1 AND v.mock = 0
     LIMIT ?`,
    [jsonArgument(spans), maxFootage],
  );
  for (const [key, fromMs, toMs] of rows as number[][]) {
    const known = found.get(key as number) ?? [];
    found.set(key as number, known);
    known.push({ fromMs: fromMs as number, toMs: toMs as number });
  }
  return found;
}

function without({ fromMs, toMs }: TimeSpan, footage: readonly TimeSpan[]): TimeSpan[] {
  if (footage.length === 0) return [{ fromMs, toMs }];
  const left: TimeSpan[] = [];
  let atMs = fromMs;
  for (const span of [...footage].sort((a, b) => a.fromMs - b.fromMs)) {
    left.push({ fromMs: atMs, toMs: span.fromMs });
    atMs = Math.max(atMs, span.toMs);
  }
  left.push({ fromMs: atMs, toMs });
  return left.filter((span) => span.toMs - span.fromMs >= leastMs);
}

function gapOfRow(row: SqlValue[]): Omit<Gap, "missing"> {
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
