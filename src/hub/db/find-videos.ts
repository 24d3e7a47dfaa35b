import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { Turns } from "../turns.ts";
import type { PageKey, Video, VideoQuery } from "./catalog.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";
import {
  type Condition,
  filterConditions,
  joinConditions,
  type KeyRange,
  keyCondition,
  keyRangeOf,
  overlapCondition,
} from "./video-conditions.ts";
import { videoColumns, videoOfRow } from "./video-row.ts";

/**
 * A search goes in steps and pauses between them: SQLite works in the hub's own thread, and looking for what hardly
 * any video has must not hold up everybody else. The first step is short, since most searches end there; the others
 * are as long as this machine's disk lets them be.
 */
const firstStepRows = 500;
const maxStepRows = 20_000;
const stepMs = 8;
const searchDeadlineMs = 20_000;

export interface Pacing {
  clock: Clock;
  /** Of the searches that look further than the first few videos. */
  turns: Turns;
  /** Between two steps of a search; resolves when everybody else had a turn. */
  pause(): Promise<void>;
  /** Nobody waits for the search any more. */
  signal: AbortSignal | undefined;
}

/** {@link Catalog.findVideos} */
export async function findVideos(
  database: LibsqlDatabase,
  query: VideoQuery,
  pacing: Pacing,
): Promise<Video[]> {
  const cameraIds = query.cameraIds === undefined ? undefined : [...new Set(query.cameraIds)];
  const lists = [cameraIds, query.nodeIds, query.statuses, query.weekdays];
  if (lists.some((list) => list?.length === 0)) return [];
  const longestMs = query.fromMs === undefined ? 0 : await longestSpanMs(database);
  const scan = { query, range: keyRangeOf(query, longestMs), filters: filterConditions(query) };
  if (scan.filters.length === 0) return listVideos(database, scan, cameraIds);

  const { clock, turns, pause, signal } = pacing;
  using turn = new DisposableStack();
  let deadlineMs: number | undefined;
  const goOn = async () => {
    if (deadlineMs === undefined) {
      turn.use(await turns.acquire(signal));
      deadlineMs = clock.monotonicMs() + searchDeadlineMs;
    }
    if (clock.monotonicMs() > deadlineMs) {
      throw new AppError("timeout", "the search takes too long; give a shorter time range or fewer cameras");
    }
    await pause();
    if (signal?.aborted) throw new AppError("cancelled", "nobody waits for the search any more");
  };
  const found: Video[][] = [];
  for (const source of sourcesOf(query, cameraIds)) {
    found.push(await searchVideos(database, { ...scan, source }, { clock, goOn }));
  }
  return found.flat().sort(inOrder(query.order)).slice(0, query.limit);
}

/** Where a search goes along: an index, or the part of one that is a camera's. */
interface Source {
  table: string;
  conditions: Condition[];
}

function sourcesOf({ statuses }: VideoQuery, cameraIds: readonly string[] | undefined): Source[] {
  if (statuses && !statuses.includes("available")) {
    const isOfCamera = cameraIds && {
      text: `v.camera_id IN (${cameraIds.map(() => "?").join(", ")})`,
      args: [...cameraIds],
    };
    const isNotAvailable = { text: "v.status <> 'available'", args: [] };
    return [
      {
        table: "videos AS v INDEXED BY videos_not_available",
        conditions: isOfCamera ? [isNotAvailable, isOfCamera] : [isNotAvailable],
      },
    ];
  }
  if (cameraIds === undefined) return [{ table: "videos AS v", conditions: [] }];
  return cameraIds.map((cameraId) => ({ table: "videos AS v", conditions: [isCamera(cameraId)] }));
}

interface Scan {
  query: VideoQuery;
  range: KeyRange;
  filters: Condition[];
}

/** No filters: every row of the index's stretch belongs to the page, so it ends after `limit` of them. */
async function listVideos(
  database: LibsqlDatabase,
  { query, range }: Scan,
  cameraIds: readonly string[] | undefined,
): Promise<Video[]> {
  const order = orderBy(query);
  const pageOf = (columns: string, camera: Condition[]) => {
    const { text, args } = joinConditions([...camera, ...keyCondition(range), ...overlapCondition(query)]);
    return {
      text: `SELECT ${columns} FROM videos AS v WHERE ${text} ${order} LIMIT ?`,
      args: [...args, query.limit],
    };
  };
  if (cameraIds === undefined || cameraIds.length === 1) {
    const { text, args } = pageOf(videoColumns, cameraIds?.[0] === undefined ? [] : [isCamera(cameraIds[0])]);
    return (await database.read(text, args)).map(videoOfRow);
  }
  // Each camera's own page by its index, then the first of all of them: IN would read and sort everything.
  const pages = cameraIds.map((cameraId) => pageOf("v.row_id", [isCamera(cameraId)]));
  const union = pages.map(({ text }) => `SELECT row_id FROM (${text})`).join(" UNION ALL ");
  const rows = await database.read(
    `SELECT ${videoColumns} FROM (${union}) AS page CROSS JOIN videos AS v ON v.row_id = page.row_id ${order} LIMIT ?`,
    [...pages.flatMap(({ args }) => args), query.limit],
  );
  return rows.map(videoOfRow);
}

/** Goes along the index step by step and keeps what matches; `goOn` says between them when the next may begin. */
async function searchVideos(
  database: LibsqlDatabase,
  { query, range, filters, source }: Scan & { source: Source },
  { clock, goOn }: { clock: Clock; goOn(): Promise<void> },
): Promise<Video[]> {
  const order = orderBy(query);
  const found: Video[] = [];
  let stepRows = firstStepRows;
  for (let rest: KeyRange | undefined = range; rest !== undefined; ) {
    const startedAtMs = clock.monotonicMs();
    const end: PageKey | undefined = await keyAfter(database, { source, rest, order, stepRows });
    const cut: ReturnType<typeof cutAt> | undefined = end && cutAt(rest, end, query);
    const { text, args } = joinConditions([
      ...source.conditions,
      ...keyCondition(cut?.step ?? rest),
      ...overlapCondition(query),
      ...filters,
    ]);
    const rows = await database.read(
      `SELECT ${videoColumns} FROM ${source.table} WHERE ${text} ${order} LIMIT ?`,
      [...args, query.limit - found.length],
    );
    for (const row of rows) found.push(videoOfRow(row));
    if (found.length >= query.limit || cut === undefined) break;
    rest = cut.rest;
    stepRows = nextStepRows(stepRows, clock.monotonicMs() - startedAtMs);
    await goOn();
  }
  return found;
}

/** So many rows as took, at the pace of the last step, about {@link stepMs}; at most four times as many as before. */
function nextStepRows(stepRows: number, tookMs: number): number {
  const atThatPace = Math.round((stepRows * stepMs) / Math.max(tookMs, 0.1));
  return Math.max(firstStepRows, Math.min(atThatPace, stepRows * 4, maxStepRows));
}

/** The key that lies one step further on; undefined when the end comes first. */
async function keyAfter(
  database: LibsqlDatabase,
  step: { source: Source; rest: KeyRange; order: string; stepRows: number },
): Promise<PageKey | undefined> {
  const { source, rest, order, stepRows } = step;
  const { text, args } = joinConditions([...source.conditions, ...keyCondition(rest)]);
  const [row] = await database.read(
    `SELECT v.start_time_ms, v.video_id FROM ${source.table} WHERE ${text} ${order} LIMIT 1 OFFSET ?`,
    [...args, stepRows],
  );
  return row && { startTimeMs: row[0] as number, videoId: row[1] as string };
}

/** Cuts a stretch in two at `key`, so that each row is in one of them. Bounds are exclusive. */
function cutAt(range: KeyRange, key: PageKey, { order }: VideoQuery): { step: KeyRange; rest: KeyRange } {
  // Ids have no control characters: nothing lies between an id and it with one added.
  const justAfter = { ...key, videoId: `${key.videoId}\u0001` };
  return order === "newest_first"
    ? { step: { ...range, low: key }, rest: { ...range, high: justAfter } }
    : { step: { ...range, high: justAfter }, rest: { ...range, low: key } };
}

async function longestSpanMs(database: LibsqlDatabase): Promise<number> {
  const rows = await database.read("SELECT max(end_time_ms - start_time_ms) FROM videos");
  return Math.max(0, Number(rows[0]?.[0] ?? 0));
}

const isCamera = (cameraId: string): Condition => ({ text: "v.camera_id = ?", args: [cameraId] });

function orderBy({ order }: VideoQuery): string {
  const direction = order === "newest_first" ? "DESC" : "ASC";
  return `ORDER BY v.start_time_ms ${direction}, v.video_id ${direction}`;
}

function inOrder(order: VideoQuery["order"]): (a: Video, b: Video) => number {
  const sign = order === "newest_first" ? -1 : 1;
  return (a, b) => sign * (a.startTimeMs - b.startTimeMs || (a.videoId < b.videoId ? -1 : 1));
}
