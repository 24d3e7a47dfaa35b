import { counter, gauge, type Metric, secondsOf } from "./metric.ts";

const severities = ["warning", "critical"];

/** The process, and what is wrong. */
export const processMetrics: readonly Metric[] = [
  {
    ...{
      name: "info",
      type: "gauge",
      help: "Always 1; who this is.",
      labels: ["node_id", "version", "config_version"],
    },
    samples: ({ node_id, software_version: version, config_version }) => [
      { labels: { node_id, version, config_version }, value: 1 },
    ],
  },
  gauge("start_time_seconds", "When the process started, seconds since 1970.", ({ started_at }) =>
    secondsOf(started_at),
  ),
  gauge("resident_memory_bytes", "Memory of the process.", ({ system }) => system.process_rss_bytes),
  counter(
    "cpu_seconds_total",
    "Processor time of the process, user and system.",
    ({ system }) => system.process_cpu_seconds,
  ),
  {
    ...{ name: "errors_total", type: "counter", help: "Errors logged since start.", labels: ["module"] },
    samples: ({ error_counts }) =>
      Object.entries(error_counts).map(([module, value]) => ({ labels: { module }, value })),
  },
  {
    ...{ name: "alerts", type: "gauge", help: "Alerts that go on; docs/alerts.md.", labels: ["severity"] },
    samples: ({ alerts = [] }) =>
      severities.map((severity) => ({
        labels: { severity },
        value: alerts.filter((alert) => alert.cleared_at === null && alert.severity === severity).length,
      })),
  },
  {
    ...{
      name: "alert",
      type: "gauge",
      help: "1 for each alert that goes on.",
      labels: ["code", "camera_id"],
    },
    samples: ({ alerts = [] }) =>
      alerts
        .filter(({ cleared_at }) => cleared_at === null)
        .map(({ code, camera_id }) => ({ labels: { code, camera_id: camera_id ?? "" }, value: 1 })),
  },
];
