import { type Clock, systemClock } from "../../common/clock.ts";
import { Turns } from "../turns.ts";
import { findBookmark, moveBookmark } from "./bookmark-rows.ts";
import type {
  Beat,
  CameraRow,
  Catalog,
  Gap,
  GapQuery,
  NewGap,
  NewNode,
  NewVideo,
  NodeRow,
  SaveResult,
  Video,
  VideoQuery,
  VideoStatus,
} from "./catalog.ts";
import { findVideos } from "./find-videos.ts";
import { findGaps, saveGaps } from "./gap-rows.ts";
import type { LibsqlDatabase } from "./libsql-database.ts";
import { listCameras, listNodes, saveHeartbeat, saveNode } from "./node-rows.ts";
import { saveVideos } from "./save-videos.ts";
import { videoColumns, videoOfRow } from "./video-row.ts";

/** The catalog in SQLite. Closing it closes the database. */
export class LibsqlCatalog implements Catalog {
  readonly #database: LibsqlDatabase;
  readonly #clock: Clock;
  /** One thread looks: more of them at a time only make each one later, and read the disk in more places. */
  readonly #searchTurns = new Turns({
    ...{ atOnce: 2, most: 30 },
    // Less than a connection may be silent.
    maxWaitMs: 60_000,
    refusal: "too many searches of the whole catalog at once; try again in a moment",
  });
  /** When the last search that pauses may go on. */
  #turn = Promise.resolve();

  constructor(database: LibsqlDatabase, clock: Clock = systemClock) {
    this.#database = database;
    this.#clock = clock;
  }

  saveVideos(videos: readonly NewVideo[], nowMs: number): Promise<SaveResult[]> {
    return saveVideos(this.#database, videos, nowMs);
  }

  async findVideo(videoId: string): Promise<Video | undefined> {
    const sql = `SELECT ${videoColumns} FROM videos AS v WHERE v.video_id = ?`;
    const [row] = await this.#database.read(sql, [videoId]);
    return row && videoOfRow(row);
  }

  findVideos(query: VideoQuery, signal?: AbortSignal): Promise<Video[]> {
    const pacing = { clock: this.#clock, turns: this.#searchTurns, pause: () => this.#pause(), signal };
    return findVideos(this.#database, query, pacing);
  }

  async findNewestVideos(): Promise<Video[]> {
    const rows = await this.#database.read(`
      SELECT ${videoColumns} FROM cameras AS c CROSS JOIN videos AS v ON v.row_id = (
        SELECT row_id FROM videos WHERE camera_id = c.camera_id ORDER BY start_time_ms DESC, video_id DESC LIMIT 1)`);
    return rows.map(videoOfRow);
  }

  async updateVideoStatus(videoId: string, status: VideoStatus): Promise<void> {
    await this.#database.write([
      { sql: "UPDATE videos SET status = ? WHERE video_id = ?", args: [status, videoId] },
    ]);
  }

  async updateVideoNotes(videoId: string, notes: string): Promise<void> {
    await this.#database.write([
      { sql: "UPDATE videos SET notes = ? WHERE video_id = ?", args: [notes, videoId] },
    ]);
  }

  async deleteVideo(videoId: string): Promise<void> {
    await this.#database.write([{ sql: "DELETE FROM videos WHERE video_id = ?", args: [videoId] }]);
  }

  async findDays(cameraId: string, limit: number): Promise<string[]> {
    // One seek per day; DISTINCT would read all videos of the camera.
    const rows = await this.#database.read(
      `WITH RECURSIVE day (date) AS (
         SELECT max(local_date) FROM videos WHERE camera_id = ?1
         UNION ALL
         SELECT (SELECT max(local_date) FROM videos WHERE camera_id = ?1 AND local_date < day.date)
         FROM day WHERE day.date IS NOT NULL)
       SELECT date FROM day WHERE date IS NOT NULL LIMIT ?2`,
      [cameraId, limit],
    );
    return rows.map((row) => row[0] as string);
  }

  saveGaps(gaps: readonly NewGap[], nowMs: number): Promise<number> {
    return saveGaps(this.#database, gaps, nowMs);
  }

  findGaps(query: GapQuery): Promise<Gap[]> {
    return findGaps(this.#database, query);
  }

  saveNode(node: NewNode, cameras: readonly CameraRow[]): Promise<void> {
    return saveNode(this.#database, node, cameras);
  }

  saveHeartbeat(nodeId: string, beat: Beat): Promise<boolean> {
    return saveHeartbeat(this.#database, nodeId, beat);
  }

  listNodes(): Promise<NodeRow[]> {
    return listNodes(this.#database);
  }

  listCameras(): Promise<CameraRow[]> {
    return listCameras(this.#database);
  }

  findBookmark(nodeId: string): Promise<string | null> {
    return findBookmark(this.#database, nodeId);
  }

  moveBookmark(nodeId: string, move: { from: string | null; to: string }): Promise<string | null> {
    return moveBookmark(this.#database, nodeId, move);
  }

  async ping(): Promise<void> {
    await this.#database.read("SELECT count(*) FROM settings");
  }

  /** One step of one search per turn of the event loop, however many searches there are. */
  #pause(): Promise<void> {
    this.#turn = this.#turn.then(() => new Promise((resume) => setImmediate(resume)));
    return this.#turn;
  }

  async close(): Promise<void> {
    await this.#database[Symbol.asyncDispose]();
  }
}
