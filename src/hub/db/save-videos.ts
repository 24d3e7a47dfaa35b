import { AppError } from "../../common/errors.ts";
import { localTimeOf, pad } from "../../common/time-zone.ts";
import type { NewVideo, SaveResult } from "./catalog.ts";
import { jsonArgument } from "./json-argument.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";

/** A key of its own for each column, in the order of the table. */
const columns = {
  video_id: (video: NewVideo) => video.videoId,
  camera_id: (video: NewVideo) => video.cameraId,
  node_id: (video: NewVideo) => video.nodeId,
  run_id: (video: NewVideo) => video.runId,
  sequence: (video: NewVideo) => video.sequence,
  start_time_ms: (video: NewVideo) => video.startTimeMs,
  end_time_ms: (video: NewVideo) => video.endTimeMs,
  time_zone: (video: NewVideo) => video.timeZone,
  duration_ms: (video: NewVideo) => video.durationMs,
  codec: (video: NewVideo) => video.codec,
  width: (video: NewVideo) => video.width,
  height: (video: NewVideo) => video.height,
  fps: (video: NewVideo) => video.fps,
  recorded_sha256: (video: NewVideo) => video.recordedSha256,
  clock_state: (video: NewVideo) => video.clockState,
  software_version: (video: NewVideo) => video.softwareVersion,
  mock: (video: NewVideo) => (video.isMock ? 1 : 0),
  file_path: (video: NewVideo) => video.filePath,
  file_size_bytes: (video: NewVideo) => video.fileSizeBytes,
  file_sha256: (video: NewVideo) => video.fileSha256,
};
const names = Object.keys(columns);
const readers = Object.values(columns);

const insertCameras = `
  INSERT INTO cameras (camera_id, node_id, name, source)
  SELECT value ->> 0, value ->> 1, value ->> 0, '' FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`;

/** One statement for the whole batch; rows whose id or path is taken are left out, and told by their absence. */
const insertVideos = `
  INSERT INTO videos (${names.join(", ")}, local_date, local_weekday, local_minute, created_at_ms, status, notes)
  SELECT ${names.map((_, i) => `value ->> ${i}`).join(", ")},
    value ->> ${names.length}, value ->> ${names.length + 1}, value ->> ${names.length + 2}, ?2, 'available', ''
  FROM json_each(?1) WHERE true
  ON CONFLICT DO NOTHING RETURNING video_id`;

/** Rows that stand in the way of those left out. */
const selectKnown = `
  SELECT video_id, file_path, file_size_bytes, file_sha256, recorded_sha256 FROM videos
  WHERE video_id IN (SELECT value ->> 0 FROM json_each(?1)) OR file_path IN (SELECT value ->> 1 FROM json_each(?1))`;

interface Known {
  videoId: string;
  filePath: string;
  fileSizeBytes: number;
  fileSha256: string;
  recordedSha256: string;
}

/** {@link Catalog.saveVideos}. When it returns, what it calls `stored` is on the disk. */
export async function saveVideos(
  database: LibsqlDatabase,
  videos: readonly NewVideo[],
  nowMs: number,
): Promise<SaveResult[]> {
  if (videos.length === 0) return [];
  const owners = new Map(videos.map((video) => [video.cameraId, video.nodeId]));
  const [, inserted] = await database.write([
    { sql: insertCameras, args: [jsonArgument([...owners])] },
    { sql: insertVideos, args: [jsonArgument(videos.map(rowOf)), nowMs] },
  ]);
  const stored = new Set(inserted?.rows.map((row) => row[0] as string));
  // An id that a batch has twice is stored by its first entry; the second is compared with it like any other.
  const isStored = videos.map((video) => stored.delete(video.videoId));
  if (isStored.every(Boolean)) return videos.map(() => ({ result: "stored" }));

  const others = videos.filter((_, i) => !isStored[i]).map((video) => [video.videoId, video.filePath]);
  const rows = await database.read(selectKnown, [jsonArgument(others)]);
  const known = rows.map((row): Known => {
    const [videoId, filePath, fileSizeBytes, fileSha256, recordedSha256] = row;
    return { videoId, filePath, fileSizeBytes, fileSha256, recordedSha256 } as Known;
  });
  const byId = new Map(known.map((row) => [row.videoId, row]));
  const byPath = new Map(known.map((row) => [row.filePath, row]));
  return videos.map((video, i) =>
    isStored[i] ? { result: "stored" } : compare(video, byId.get(video.videoId), byPath.get(video.filePath)),
  );
}

function compare(video: NewVideo, sameId: Known | undefined, samePath: Known | undefined): SaveResult {
  if (sameId === undefined) {
    // Deleted between the two statements: the sender tries again and it is stored.
    if (samePath === undefined) throw new AppError("unavailable", "the catalog has just changed; try again");
    const detail = `${video.filePath} is video ${samePath.videoId}`;
    return { result: "conflict", knownSha256: samePath.fileSha256, detail };
  }
  const differences = [
    ...(sameId.recordedSha256 === video.recordedSha256 ? [] : ["recorded_sha256"]),
    ...(sameId.fileSha256 === video.fileSha256 ? [] : ["file_sha256"]),
    ...(sameId.fileSizeBytes === video.fileSizeBytes ? [] : [`file_size (${sameId.fileSizeBytes})`]),
    ...(sameId.filePath === video.filePath ? [] : [`file_path (${sameId.filePath})`]),
  ];
  if (differences.length === 0) return { result: "duplicate" };
  const detail = `known with another ${differences.join(" and ")}`;
  return { result: "conflict", knownSha256: sameId.fileSha256, detail };
}

function rowOf(video: NewVideo): (string | number)[] {
  const local = localTimeOf(video.startTimeMs, video.timeZone);
  const date = `${pad(local.year, 4)}-${pad(local.month)}-${pad(local.day)}`;
  const weekday = new Date(Date.UTC(local.year, local.month - 1, local.day)).getUTCDay() || 7;
  return [...readers.map((read) => read(video)), date, weekday, local.hour * 60 + local.minute];
}
