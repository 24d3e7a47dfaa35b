import { Database } from "bun:sqlite";
import { archivePathOf } from "../../src/common/archive-path.ts";
import { newUuidV7 } from "../../src/common/ids.ts";
import { openDatabase } from "../../src/hub/db/libsql-database.ts";
import { migrate } from "../../src/hub/db/migrate.ts";

export interface BigCatalog {
  cameraIds: string[];
  /** Start of the oldest video and end of the newest, in ms since 1970 UTC. */
  startTimeMs: number;
  endTimeMs: number;
}

const segmentMs = 600_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * Makes a catalog of `videoCount` videos at `path`, spread over `cameraCount` cameras that record without a gap,
 * segments of ten minutes up to `endTimeMs`. A million takes about half a minute: rows are written past the catalog's
 * port, and not synced. Stops between batches when `signal` aborts.
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
  try {
    database.run("PRAGMA synchronous = OFF");
    for (const id of cameraIds) {
      database.run("INSERT INTO cameras (camera_id, node_id, name, source) VALUES (?, 'node01', ?, 'test')", [
        id,
        id,
      ]);
    }
    const insert = database.prepare(
      `INSERT INTO videos (video_id, camera_id, node_id, run_id, sequence, start_time_ms, end_time_ms, time_zone,
         local_date, local_weekday, local_minute, duration_ms, codec, width, height, fps, recorded_sha256, clock_state,
         software_version, file_path, file_size_bytes, file_sha256, created_at_ms, status, notes)
       VALUES (?, ?, 'node01', ?, ?, ?, ?, 'UTC', ?, ?, ?, ?, 'avc1.64001f', 1920, 1080, 30, ?, 'synced',
         '0.1.0 (bench)', ?, ?, ?, ?, 'available', '')`,
    );
    const runIds = cameraIds.map(() => crypto.randomUUID());
    const addSegment = (sequence: number) => {
      const start = startTimeMs + sequence * segmentMs;
      const localDate = new Date(start).toISOString().slice(0, 10);
      const localWeekday = new Date(start).getUTCDay() || 7;
      const localMinute = Math.floor((start % dayMs) / minuteMs);
      for (const [camera, cameraId] of cameraIds.entries()) {
        if (sequence * cameraCount + camera >= videoCount) return;
        const id = newUuidV7(start);
        const hash = id.replaceAll("-", "").repeat(2);
        const filePath = archivePathOf({ cameraId, startTimeMs: start, timeZone: "UTC" });
        insert.run(
          ...[id, cameraId, runIds[camera] ?? "", sequence, start, start + segmentMs],
          ...[localDate, localWeekday, localMinute, segmentMs],
          ...[hash, filePath, 300_000_000 + sequence, hash, start + segmentMs + 500],
        );
      }
    };
    const batch = Math.max(1, Math.floor(20_000 / cameraCount));
    for (let first = 0; first < perCamera; first += batch) {
      signal?.throwIfAborted();
      database.transaction(() => {
        for (let sequence = first; sequence < Math.min(first + batch, perCamera); sequence++)
          addSegment(sequence);
      })();
      // Lets signals and timers in.
      await new Promise((resume) => setImmediate(resume));
    }
    database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
  return { cameraIds, startTimeMs, endTimeMs };
}
