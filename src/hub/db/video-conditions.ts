import type { PageKey, VideoQuery } from "./catalog.ts";
import type { SqlValue } from "./libsql-connection.ts";

/** A part of a WHERE clause: `text` has one `?` for each of `args`. */
export interface Condition {
  text: string;
  args: SqlValue[];
}

/** Bounds in the order of (start_time_ms, video_id), both exclusive: what an index can seek to. */
export interface KeyRange {
  low: PageKey | undefined;
  high: PageKey | undefined;
}

/**
 * The stretch of the index in which the videos of a query lie. A video that overlaps `fromMs` may have started up to
 * `longestMs`, the longest span in the catalog, before it.
 */
export function keyRangeOf(query: VideoQuery, longestMs: number): KeyRange {
  const { fromMs, toMs, order, after } = query;
  // No id sorts before the empty one, so these keys stand for the first instant alone.
  const low = fromMs === undefined ? undefined : { startTimeMs: fromMs - longestMs, videoId: "" };
  const high = toMs === undefined ? undefined : { startTimeMs: toMs, videoId: "" };
  if (after === undefined) return { low, high };
  return order === "newest_first"
    ? { low, high: high === undefined || isBefore(after, high) ? after : high }
    : { low: low === undefined || isBefore(low, after) ? after : low, high };
}

function isBefore(a: PageKey, b: PageKey): boolean {
  return a.startTimeMs < b.startTimeMs || (a.startTimeMs === b.startTimeMs && a.videoId < b.videoId);
}

export function keyCondition({ low, high }: KeyRange): Condition[] {
  return [
    ...(low === undefined ? [] : [rowCondition(">", low)]),
    ...(high === undefined ? [] : [rowCondition("<", high)]),
  ];
}

function rowCondition(operator: "<" | ">", key: PageKey): Condition {
  return { text: `(v.start_time_ms, v.video_id) ${operator} (?, ?)`, args: [key.startTimeMs, key.videoId] };
}

/** Rejects only videos near `fromMs`, so it costs nothing to ask. */
export function overlapCondition(query: VideoQuery): Condition[] {
  return query.fromMs === undefined ? [] : [{ text: "v.end_time_ms > ?", args: [query.fromMs] }];
}

/** The conditions that may reject any number of videos in a row. Empty for a mere list. */
export function filterConditions(query: VideoQuery): Condition[] {
  return [
    ...oneOf("v.node_id", query.nodeIds),
    ...oneOf("v.status", query.statuses),
    ...oneOf("v.local_weekday", query.weekdays),
    ...atLeast("v.duration_ms", query.minDurationMs),
    ...atMost("v.duration_ms", query.maxDurationMs),
    ...atLeast("v.file_size_bytes", query.minSizeBytes),
    ...atMost("v.file_size_bytes", query.maxSizeBytes),
    ...timeOfDayCondition(query.timeOfDay),
    ...textCondition(query.text),
  ];
}

function oneOf(column: string, values: readonly (string | number)[] | undefined): Condition[] {
  if (values === undefined) return [];
  return [{ text: `${column} IN (${values.map(() => "?").join(", ")})`, args: [...values] }];
}

const atLeast = (column: string, value: number | undefined): Condition[] =>
  value === undefined ? [] : [{ text: `${column} >= ?`, args: [value] }];

const atMost = (column: string, value: number | undefined): Condition[] =>
  value === undefined ? [] : [{ text: `${column} <= ?`, args: [value] }];

function timeOfDayCondition(timeOfDay: VideoQuery["timeOfDay"]): Condition[] {
  if (timeOfDay === undefined) return [];
  const { fromMinute, toMinute } = timeOfDay;
  const join = fromMinute <= toMinute ? "AND" : "OR";
  return [{ text: `(v.local_minute >= ? ${join} v.local_minute < ?)`, args: [fromMinute, toMinute] }];
}

/**
 * LIKE's own case folding knows ASCII only, which is all a file name has. Only columns of the index that is searched: for
 * any other, SQLite fetches every row, which takes three times as long, and more on a cold disk.
 */
function textCondition(text: string | undefined): Condition[] {
  if (text === undefined || text === "") return [];
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  // The name begins after the day folder: cam01/2025-09-23/cam01_20250923_153000.mp4
  const name = "substr(v.file_path, instr(v.file_path, '/') + 12)";
  const contains = (column: string) => `${column} LIKE ? ESCAPE '\\'`;
  // What is cheap to ask first, and nearly always says no.
  return [
    {
      text: `((${contains("v.file_path")} AND ${contains(name)}) OR (v.notes <> '' AND ${contains("v.notes")}))`,
      args: [pattern, pattern, pattern],
    },
  ];
}

export function joinConditions(conditions: readonly Condition[]): Condition {
  return {
    text: conditions.length === 0 ? "true" : conditions.map(({ text }) => text).join(" AND "),
    args: conditions.flatMap(({ args }) => args),
  };
}
