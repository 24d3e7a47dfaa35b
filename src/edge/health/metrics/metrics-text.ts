import { Counter, Gauge, Registry } from "prom-client";
import type { EdgeStatus } from "../../../common/protocol/control.ts";
import { allMetrics, metricPrefix } from "./all-metrics.ts";
import type { Sample } from "./metric.ts";

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** The node's figures in Prometheus' text format. Series of cameras and modules that are gone are gone with them. */
export function metricsTextOf(status: EdgeStatus, nowMs: number): Promise<string> {
  const registry = new Registry();
  for (const { name, type, help, labels = [], samples } of allMetrics) {
    const options = { name: metricPrefix + name, help, labelNames: [...labels], registers: [registry] };
    const known = samples(status, nowMs).filter(isKnown);
    // A metric of one value would say 0 where nobody can tell.
    if (known.length === 0) continue;
    if (type === "gauge") {
      const gauge = new Gauge(options);
      for (const { labels, value } of known) gauge.set(labels ?? {}, value);
    } else {
      const counter = new Counter(options);
      for (const { labels, value } of known) counter.inc(labels ?? {}, value);
    }
  }
  return registry.metrics();
}

function isKnown(sample: Sample): sample is Sample & { value: number } {
  return sample.value !== undefined && Number.isFinite(sample.value);
}
