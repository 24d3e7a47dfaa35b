import { counter, gauge, type Metric, secondsOf, stateSet } from "./metric.ts";

const archiveStates = ["unknown", "reachable", "unreachable", "other_archive", "failing"];
const pressureSteps = ["none", "compressed", "stopped"];

/** The spool, and the way from it to the archive. */
export const storageMetrics: readonly Metric[] = [
  gauge(
    "spool_disk_total_bytes",
    "Size of the file system that the spool lies on.",
    ({ system }) => system.spool_total_bytes,
  ),
  gauge("spool_disk_free_bytes", "Room on it.", ({ system }) => system.spool_free_bytes),
  gauge(
    "spool_waiting_segments",
    "Segments that wait to be archived.",
    ({ spool }) => spool.waiting_segments,
  ),
  gauge("spool_waiting_bytes", "Their size.", ({ spool }) => spool.waiting_bytes),
  gauge(
    "spool_oldest_waiting_seconds",
    "How long the oldest of them waits; 0 when none does.",
    ({ spool }, nowMs) =>
      spool.oldest_waiting_at === null
        ? 0
        : Math.max(0, (nowMs - Date.parse(spool.oldest_waiting_at)) / 1000),
  ),
  gauge(
    "spool_unacknowledged_segments",
    "Archived segments that the hub has not acknowledged.",
    ({ spool }) => spool.unacknowledged_segments,
  ),
  gauge(
    "spool_quarantined_segments",
    "Damaged segments set aside.",
    ({ spool }) => spool.quarantined_segments,
  ),
  gauge(
    "spool_conflicting_segments",
    "Archived segments that the hub will not have.",
    ({ spool }) => spool.conflicting_segments,
  ),
  counter(
    "spool_lost_segments_total",
    "Segments deleted before they were safe, since the spool was made.",
    ({ spool }) => spool.lost_segments,
  ),
  gauge(
    "spool_horizon_seconds",
    "How long an outage the spool survives at today's bitrate.",
    ({ spool }) => spool.horizon_seconds,
  ),
  {
    ...{
      name: "spool_pressure",
      type: "gauge",
      help: "1 for the step in force against a disk that fills.",
      labels: ["step"],
    },
    samples: ({ spool }) => stateSet("step", pressureSteps, spool.pressure ?? "none"),
  },
  {
    ...{
      name: "spool_pressure_steps_total",
      type: "counter",
      help: "How often each step against a full disk was taken.",
      labels: ["step"],
    },
    samples: ({ spool }) =>
      Object.entries(spool.pressure_counts ?? {}).map(([step, value]) => ({ labels: { step }, value })),
  },
  {
    ...{
      name: "uploads_total",
      type: "counter",
      help: "Uploads that reached the archive, and tries that did not.",
      labels: ["result"],
    },
    samples: ({ uploads }) => [
      { labels: { result: "succeeded" }, value: uploads.succeeded },
      { labels: { result: "failed" }, value: uploads.failed },
    ],
  },
  gauge(
    "upload_bytes_per_second",
    "Speed over the last minutes of uploading.",
    ({ uploads }) => uploads.bytes_per_second,
  ),
  gauge("upload_eta_seconds", "Until all that waits is archived.", ({ uploads }) => uploads.eta_seconds),
  gauge(
    "uploads_failing_seconds",
    "How long no upload has succeeded; 0 while they do.",
    ({ uploads }, nowMs) =>
      (uploads.failing_since ?? null) === null
        ? 0
        : Math.max(0, nowMs / 1000 - (secondsOf(uploads.failing_since) ?? 0)),
  ),
  counter(
    "upload_workers_abandoned_total",
    "Upload workers that hung and were given up.",
    ({ archive }) => archive.abandoned_workers,
  ),
  {
    ...{
      name: "archive_state",
      type: "gauge",
      help: "1 for how the last upload found the archive.",
      labels: ["state"],
    },
    samples: ({ uploads }) => stateSet("state", archiveStates, uploads.archive ?? "unknown"),
  },
];
