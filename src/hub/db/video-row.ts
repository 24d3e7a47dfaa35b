import type { ClockState } from "../../common/segment-identity.ts";
import type { Video, VideoStatus } from "./catalog.ts";
import type { SqlValue } from "./libsql-connection.ts";

/**
 * The columns of a video as two values: libSQL takes twice as long to hand over twenty-two. `fps` stands alone because SQLite's JSON keeps only 15 digits of it.
 */
export const videoColumns = `json_array(
  v.video_id, v.camera_id, v.node_id, v.run_id, v.sequence, v.start_time_ms, v.end_time_ms, v.time_zone,
  v.duration_ms, v.codec, v.width, v.height, v.recorded_sha256, v.clock_state, v.software_version,
  v.file_path, v.file_size_bytes, v.file_sha256, v.created_at_ms, v.status, v.notes, v.mock), v.fps`;

type Cells = [
  videoId: string,
  cameraId: string,
  nodeId: string,
  runId: string,
  sequence: number,
  startTimeMs: number,
  endTimeMs: number,
  timeZone: string,
  durationMs: number,
  codec: string,
  width: number,
  height: number,
  recordedSha256: string,
  clockState: ClockState,
  softwareVersion: string,
  filePath: string,
  fileSizeBytes: number,
  fileSha256: string,
  createdAtMs: number,
  status: VideoStatus,
  notes: string,
  mock: 0 | 1,
];

/** A row of `SELECT ${videoColumns} FROM videos AS v`. */
export function videoOfRow(row: SqlValue[]): Video {
  const cells = JSON.parse(row[0] as string) as Cells;
  return {
    videoId: cells[0],
    cameraId: cells[1],
    nodeId: cells[2],
    runId: cells[3],
    sequence: cells[4],
    startTimeMs: cells[5],
    endTimeMs: cells[6],
    timeZone: cells[7],
    durationMs: cells[8],
    codec: cells[9],
    width: cells[10],
    height: cells[11],
    fps: row[1] as number,
    recordedSha256: cells[12],
    clockState: cells[13],
    softwareVersion: cells[14],
    filePath: cells[15],
    fileSizeBytes: cells[16],
    fileSha256: cells[17],
    createdAtMs: cells[18],
    status: cells[19],
    notes: cells[20],
    ...(cells[21] === 1 && { isMock: true }),
  };
}
