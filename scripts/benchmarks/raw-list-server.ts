import { Database } from "bun:sqlite";

/**
 * The yardstick of the list page: the same rows as the same JSON, by a prepared statement of bun:sqlite and nothing
 * else. No key, no checks, no cursors. Takes the catalog's path; prints its port and answers with
 * - `/?camera=ID&start=MS&id=ID&limit=N`, all but `limit` optional: videos before (start, id), newest first
 * - `/in-process?…&runs=N`: the times of N such queries without HTTP, in ms
 */
const columns = `video_id, camera_id, file_path, file_size_bytes, duration_ms, created_at_ms, start_time_ms, end_time_ms,
  width, height, fps, status, codec, node_id, run_id, sequence, time_zone, recorded_sha256, file_sha256, clock_state,
  software_version, notes, mock`;

type Cell = string & number;

function openList(path: string): (parameters: URLSearchParams) => string {
  const database = new Database(path, { readonly: true });
  const page = "(start_time_ms, video_id) < (?, ?) ORDER BY start_time_ms DESC, video_id DESC LIMIT ?";
  const ofCamera = database.prepare(`SELECT ${columns} FROM videos WHERE camera_id = ? AND ${page}`);
  const ofAll = database.prepare(`SELECT ${columns} FROM videos WHERE ${page}`);
  return (parameters) => {
    const camera = parameters.get("camera");
    const start = Number(parameters.get("start") ?? Number.MAX_SAFE_INTEGER);
    const key = [start, parameters.get("id") ?? "", Number(parameters.get("limit"))];
    const rows = camera === null ? ofAll.values(...key) : ofCamera.values(camera, ...key);
    return JSON.stringify({ videos: (rows as Cell[][]).map(formatRow) });
  };
}

function formatRow(row: Cell[]) {
  const [id, camera, path, size, durationMs, created, start, end, width, height, fps, status, codec] = row;
  return {
    video_id: id,
    camera_id: camera,
    file_path: path,
    file_size: size,
    duration: durationMs! / 1000,
    created_at: new Date(created!).toISOString(),
    start_time: new Date(start!).toISOString(),
    end_time: new Date(end!).toISOString(),
    resolution: { width, height },
    fps,
    status,
    duration_ms: durationMs,
    codec,
    node_id: row[13],
    run_id: row[14],
    sequence: row[15],
    time_zone: row[16],
    recorded_sha256: row[17],
    file_sha256: row[18],
    clock_state: row[19],
    software_version: row[20],
    mock: row[22] === 1,
    notes: row[21],
    stream_url: `/api/videos/${id}/stream`,
    thumbnail_url: `/api/videos/${id}/thumbnail`,
  };
}

if (import.meta.main) {
  const list = openList(process.argv[2] ?? "");
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: Number(process.argv[3]),
    fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/in-process") {
        const times = Array.from({ length: Number(searchParams.get("runs")) }, () => {
          const startedAtMs = performance.now();
          list(searchParams);
          return performance.now() - startedAtMs;
        });
        return Response.json(times);
      }
      return new Response(list(searchParams), { headers: { "content-type": "application/json" } });
    },
  });
  process.stdout.write(`${server.port}\n`);
}
