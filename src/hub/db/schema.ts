import { sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  index,
  integer,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

/** Times are milliseconds since 1970 UTC in columns that end in `_ms`. The catalog's words: see catalog.ts. */

export const videos = sqliteTable(
  "videos",
  {
    /** Rows are fetched by it after their order was found in an index. */
    rowId: integer("row_id").primaryKey(),
    videoId: text("video_id").notNull(),
    cameraId: text("camera_id")
      .notNull()
      .references((): AnySQLiteColumn => cameras.cameraId),
    nodeId: text("node_id").notNull(),
    runId: text("run_id").notNull(),
    sequence: integer("sequence").notNull(),
    startTimeMs: integer("start_time_ms").notNull(),
    endTimeMs: integer("end_time_ms").notNull(),
    timeZone: text("time_zone").notNull(),
    /** Of the start, in the video's own zone: computed once, since SQL knows no time zones. */
    localDate: text("local_date").notNull(),
    /** ISO: Monday is 1. */
    localWeekday: integer("local_weekday").notNull(),
    localMinute: integer("local_minute").notNull(),
    durationMs: integer("duration_ms").notNull(),
    codec: text("codec").notNull(),
    width: integer("width").notNull(),
    height: integer("height").notNull(),
    fps: real("fps").notNull(),
    recordedSha256: text("recorded_sha256").notNull(),
    clockState: text("clock_state").notNull(),
    softwareVersion: text("software_version").notNull(),
    /** 1: no footage, but the picture that says so. */
    mock: integer("mock").notNull().default(0),
    filePath: text("file_path").notNull(),
    fileSizeBytes: integer("file_size_bytes").notNull(),
    fileSha256: text("file_sha256").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    status: text("status").notNull(),
    notes: text("notes").notNull(),
  },
  (table) => [
    // Identity: announce is idempotent by it, every page and stream looks up by it.
    uniqueIndex("videos_video_id").on(table.videoId),
    // No two videos in one file; a re-used name is a conflict.
    uniqueIndex("videos_file_path").on(table.filePath),
    // The list of one camera, in both directions, with its keyset. What a search may ask for follows, so that a row
    // is only fetched once it is known to match.
    index("videos_camera_start").on(table.cameraId, table.startTimeMs, table.videoId, ...searched(table)),
    // The same for all cameras.
    index("videos_start").on(table.startTimeMs, table.videoId, ...searched(table)),
    // The days of a camera's calendar, one seek each.
    index("videos_camera_date").on(table.cameraId, table.localDate),
    // The longest span: bounds how far before a range an overlapping video can start.
    index("videos_span").on(sql`(${table.endTimeMs} - ${table.startTimeMs})`),
    // Few are not available; looking for them must not go through all that are.
    index("videos_not_available").on(table.startTimeMs, table.videoId).where(sql`status <> 'available'`),
  ],
);

function searched(
  table: Record<
    | "localWeekday"
    | "localMinute"
    | "durationMs"
    | "fileSizeBytes"
    | "status"
    | "nodeId"
    | "filePath"
    | "notes",
    AnySQLiteColumn
  >,
) {
  return [
    table.localWeekday,
    table.localMinute,
    table.durationMs,
    table.fileSizeBytes,
    table.status,
    table.nodeId,
    table.filePath,
    table.notes,
  ] as const;
}

export const cameras = sqliteTable("cameras", {
  cameraId: text("camera_id").primaryKey(),
  /** The node that registered it last, or announced its first video. */
  nodeId: text("node_id").notNull(),
  name: text("name").notNull(),
  source: text("source").notNull(),
});

/** Times for which a camera should have a video and has none, as its node told. */
export const gaps = sqliteTable(
  "gaps",
  {
    rowId: integer("row_id").primaryKey(),
    gapId: text("gap_id").notNull(),
    cameraId: text("camera_id").notNull(),
    nodeId: text("node_id").notNull(),
    fromMs: integer("from_ms").notNull(),
    toMs: integer("to_ms").notNull(),
    cause: text("cause").notNull(),
    detail: text("detail").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
  },
  (table) => [
    // Identity: a report is idempotent by it.
    uniqueIndex("gaps_gap_id").on(table.gapId),
    // The list of one camera, in both directions, with its keyset.
    index("gaps_camera_from").on(table.cameraId, table.fromMs, table.gapId),
    // The same for all cameras.
    index("gaps_from").on(table.fromMs, table.gapId),
    // The longest: bounds how far before a range an overlapping gap can start.
    index("gaps_span").on(sql`(${table.toMs} - ${table.fromMs})`),
  ],
);

/** What is or was wrong with a node, as it told or as the hub noticed. */
export const alerts = sqliteTable(
  "alerts",
  {
    rowId: integer("row_id").primaryKey(),
    alertId: text("alert_id").notNull(),
    nodeId: text("node_id").notNull(),
    /** Null: of the whole node. */
    cameraId: text("camera_id"),
    /** Who says so: `node` or `hub`. */
    source: text("source").notNull(),
    code: text("code").notNull(),
    severity: text("severity").notNull(),
    message: text("message").notNull(),
    /** JSON of the figures in the message. */
    params: text("params").notNull(),
    raisedAtMs: integer("raised_at_ms").notNull(),
    /** Null while it goes on. */
    clearedAtMs: integer("cleared_at_ms"),
    /** How often it was raised from then till then. */
    count: integer("count").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
  },
  (table) => [
    // Identity: a heartbeat is idempotent by it.
    uniqueIndex("alerts_alert_id").on(table.alertId),
    // The history, in both directions, with its keyset.
    index("alerts_raised").on(table.raisedAtMs, table.alertId),
    // What goes on now: few among many. Every heartbeat and every page asks for it.
    index("alerts_active").on(table.nodeId).where(sql`cleared_at_ms IS NULL`),
  ],
);

export const nodes = sqliteTable("nodes", {
  nodeId: text("node_id").primaryKey(),
  ipAddress: text("ip_address").notNull(),
  registeredAtMs: integer("registered_at_ms").notNull(),
  lastHeartbeatMs: integer("last_heartbeat_ms"),
  softwareVersion: text("software_version").notNull(),
  configVersion: text("config_version").notNull(),
  timeZone: text("time_zone").notNull(),
  segmentSeconds: integer("segment_seconds").notNull(),
  lastHeartbeatJson: text("last_heartbeat_json"),
});

/** What a node keeps in the catalog to notice that it was restored: see protocol/bookmark.ts. */
export const bookmarks = sqliteTable("bookmarks", {
  nodeId: text("node_id").primaryKey(),
  bookmark: text("bookmark").notNull(),
});

/** Keys of edges and programs. The secret is random and long, so one SHA-256 of it is enough. */
export const apiKeys = sqliteTable("api_keys", {
  keyId: text("key_id").primaryKey(),
  secretSha256: text("secret_sha256").notNull(),
  kind: text("kind").notNull(),
  name: text("name").notNull(),
  /** For keys of kind `node`: the only node it speaks for; null is any. */
  nodeId: text("node_id"),
  createdAtMs: integer("created_at_ms").notNull(),
  revokedAtMs: integer("revoked_at_ms"),
});

export const users = sqliteTable(
  "users",
  {
    userId: integer("user_id").primaryKey(),
    name: text("name").notNull(),
    /** argon2id in PHC format. */
    passwordHash: text("password_hash").notNull(),
    role: text("role").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
  },
  // The login looks up by name, and no name is given twice.
  (table) => [uniqueIndex("users_name").on(table.name)],
);

export const sessions = sqliteTable(
  "sessions",
  {
    /** SHA-256 of the cookie's token: who reads the database cannot sign in with it. */
    tokenSha256: text("token_sha256").primaryKey(),
    userId: integer("user_id")
      .notNull()
      .references(() => users.userId, { onDelete: "cascade" }),
    createdAtMs: integer("created_at_ms").notNull(),
    expiresAtMs: integer("expires_at_ms").notNull(),
  },
  (table) => [
    // A new password or a removed user ends that user's sessions.
    index("sessions_user").on(table.userId),
    // Expired ones are swept.
    index("sessions_expiry").on(table.expiresAtMs),
  ],
);

/** What the hub remembers about itself: the archive's id, the key that signs cursors. */
export const settings = sqliteTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
});
