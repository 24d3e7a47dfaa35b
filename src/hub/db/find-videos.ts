import { type Clock, systemClock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
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
 * any video has must not hold up everybody else. The first step is short, since most searches end there; the longest
 * takes about 10 ms. Text is not in the index, so each of its rows has to be fetched.
 */
const firstStepRows = 500;
const maxStepRows = ({ text }: VideoQuery) => (text === undefined ? 20_000 : 4_000);
const searchDeadlineMs = 20_000;

/** {@link Catalog.findVideos} */
export async function findVideos(
  database: LibsqlDatabase,
  query: VideoQuery,
  clock: Clock = systemClock,
): Promise<Video[]> {
  const cameraIds = query.cameraIds === undefined ? undefined : [...new Set(query.cameraIds)];
  if (cameraIds?.length === 0) return [];
  const longestMs = query.fromMs === undefined ? 0 : await longestSpanMs(database);
  const scan = { query, range: keyRangeOf(query, longestMs), filters: filterConditions(query) };
  if (scan.filters.length === 0) return listVideos(database, scan, cameraIds);

  const deadline = clock.monotonicMs() + searchDeadlineMs;
  const found: Video[][] = [];
  for (const cameraId of cameraIds ?? [undefined]) {
    found.push(await searchVideos(database, { ...scan, cameraId }, () => clock.monotonicMs() > deadline));
  }
  return found.flat().sort(inOrder(query.order)).slice(0, query.limit);
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

/** Goes through the index step by step and keeps what matches. */
async function searchVideos(
  database: LibsqlDatabase,
  { query, range, filters, cameraId }: Scan & { cameraId: string | undefined },
  isLate: () => boolean,
): Promise<Video[]> {
  const camera = cameraId === undefined ? [] : [isCamera(cameraId)];
  const order = orderBy(query);
  const found: Video[] = [];
  let stepRows = firstStepRows;
  for (let rest: KeyRange | undefined = range; rest !== undefined; ) {
    const where = joinConditions([...camera, ...keyCondition(rest)]);
    const end: PageKey | undefined = await keyAfter(database, where, order, stepRows);
    const cut: ReturnType<typeof cutAt> | undefined = end && cutAt(rest, end, query);
    const { text, args } = joinConditions([
      ...camera,
      ...keyCondition(cut?.step ?? rest),
      ...overlapCondition(query),
      ...filters,
    ]);
    const rows = await database.read(
      `SELECT ${videoColumns} FROM videos AS v WHERE ${text} ${order} LIMIT ?`,
      [...args, query.limit - found.length],
    );
    for (const row of rows) found.push(videoOfRow(row));
    if (found.length >= query.limit || cut === undefined) break;
    if (isLate()) {
      throw new AppError("timeout", "the search takes too long; give a shorter time range or fewer cameras");
    }
    rest = cut.rest;
    stepRows = Math.min(stepRows * 4, maxStepRows(query));
    await new Promise((resume) => setImmediate(resume));
  }
  return found;
}

/** The key that lies one step further on; undefined when the end comes first. */
async function keyAfter(
  database: LibsqlDatabase,
  where: Condition,
  order: string,
  stepRows: number,
): Promise<PageKey | undefined> {
  const rows = await database.read(
    `SELECT v.start_time_ms, v.video_id FROM videos AS v WHERE ${where.text} ${order} LIMIT 1 OFFSET ${stepRows}`,
    where.args,
  );
  const [row] = rows;
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
