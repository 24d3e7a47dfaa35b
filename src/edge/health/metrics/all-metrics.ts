import { cameraMetrics } from "./camera-metrics.ts";
import { machineMetrics } from "./machine-metrics.ts";
import type { Metric } from "./metric.ts";
import { processMetrics } from "./process-metrics.ts";
import { storageMetrics } from "./storage-metrics.ts";

export const metricPrefix = "livecam_edge_";

/** Everything that /metrics tells; docs/metrics.md says the same. Labels have few values: cameras, modules, known words. */
export const allMetrics: readonly Metric[] = [
  ...processMetrics,
  ...machineMetrics,
  ...cameraMetrics,
  ...storageMetrics,
];
