import { Database } from "bun:sqlite";
import { openDatabase } from "../../src/hub/db/libsql-database.ts";
import { migrate } from "../../src/hub/db/migrate.ts";

export interface BigCatalog {
  cameraIds: string[];
  /** Start of the oldest video and end of the newest, in ms since 1970 UTC. */
  startTimeMs: number;
  endTimeMs: number;
}

const segmentMs = 600_000;
const rowsAtOnce = 500_000;

/**
 * Makes a catalog of `videoCount` videos at `path`, spread over `cameraCount` cameras that record without a gap,
 * segments of ten minutes up to `endTimeMs`. A million takes about ten seconds: rows are made by SQLite itself, past the
 * catalog's port, not synced, and indexed when all are there. Stops between steps when `signal` aborts.
 */
export async function makeBigCatalog(options: {
  path: string;
  videoCount: number;
  cameraCount: number;
  endTimeMs: number;
  signal?: AbortSignal;
}): Promise<BigCatalog> {
  const { path, videoCount, cameraCount, endTimeMs, signal } = options;
  {
    await using database = await openDatabase({ path });
    await migrate(database);
  }
  const cameraIds = Array.from({ length: cameraCount }, (_, i) => `cam${String(i + 1).padStart(2, "0")}`);
  const perCamera = Math.ceil(videoCount / cameraCount);
  const startTimeMs = endTimeMs - perCamera * segmentMs;

  const database = new Database(path);
  /** Lets signals and timers in first. */
  const run = async (sql: string, ...values: (string | number)[]) => {
    await new Promise((resume) => setImmediate(resume));
    signal?.throwIfAborted();
    database.run(sql, values);
  };
  try {
    database.run("PRAGMA synchronous = OFF");
    database.run("PRAGMA cache_size = -262144");
    for (const id of cameraIds) {
      database.run("INSERT INTO cameras (camera_id, node_id, name, source) VALUES (?, 'node01', ?, 'test')", [
        id,
        id,
      ]);
    }
    const indexes = database
      .query<{ name: string; sql: string }, []>(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'videos' AND sql IS NOT NULL",
      )
      .all();
    for (const { name } of indexes) database.run(`DROP INDEX ${name}`);
    for (let first = 0; first < videoCount; first += rowsAtOnce) {
      const end = Math.min(first + rowsAtOnce, videoCount);
      await run(insertRows, first, end, cameraCount, startTimeMs);
    }
    for (const { sql } of indexes) await run(sql);
    await run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
  return { cameraIds, startTimeMs, endTimeMs };
}

/** ?1 and ?2: the numbers of the first row and behind the last; ?3: cameras; ?4: where the first begins. */
const insertRows = `
  WITH RECURSIVE
    numbers(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?2),
    segments AS (
      SELECT n / ?3 AS sequence, ?4 + n / ?3 * ${segmentMs} AS start_ms, (?4 + n / ?3 * ${segmentMs}) / 1000 AS start_s,
        printf('cam%02d', n % ?3 + 1) AS camera, lower(hex(randomblob(32))) AS random
      FROM numbers
    )
  INSERT INTO videos (video_id, camera_id, node_id, run_id, sequence, start_time_ms, end_time_ms, time_zone,
    local_date, local_weekday, local_minute, duration_ms, codec, width, height, fps, recorded_sha256, clock_state,
    software_version, file_path, file_size_bytes, file_sha256, created_at_ms, status, notes)
  SELECT
    printf('%s-%s-7%s-8%s-%s', substr(printf('%012x', start_ms), 1, 8), substr(printf('%012x', start_ms), 9),
      substr(random, 1, 3), substr(random, 4, 3), substr(random, 7, 12)),
    camera, 'node01', 'run-' || camera, sequence, start_ms, start_ms + ${segmentMs}, 'UTC',
    strftime('%Y-%m-%d', start_s, 'unixepoch'), (strftime('%w', start_s, 'unixepoch') + 6) % 7 + 1,
    start_s % 86400 / 60, ${segmentMs}, 'avc1.64001f', 1920, 1080, 30, random, 'synced', '0.1.0 (bench)',
    camera || strftime('/%Y-%m-%d/', start_s, 'unixepoch') || camera || strftime('_%Y%m%d_%H%M%S.mp4', start_s, 'unixepoch'),
    300000000 + sequence, random, start_ms + ${segmentMs} + 500, 'available', ''
  FROM segments`;
