import type { Clock } from "../common/clock.ts";
import { createLogger, errorFields } from "../common/log.ts";
import type { EdgeStatus } from "../common/protocol/control.ts";
import type { Secret } from "../common/secret.ts";
import type { EdgeConfig } from "./config.ts";
import { listenAddressOf } from "./health-config.ts";

export interface MetricsParts {
  health: EdgeConfig["health"];
  token: Secret | undefined;
  status: () => Promise<EdgeStatus>;
  clock: Clock;
}

/**
 * Serves the metrics where the config says so. What it needs is only loaded then: a node without them does without
 * their memory. Recording goes on where the address cannot be had. Never rejects.
 */
export async function openMetrics(parts: MetricsParts): Promise<AsyncDisposable | undefined> {
  const { health, token, status, clock } = parts;
  if (health.metrics_listen === undefined) return undefined;
  const logger = createLogger("metrics");
  try {
    const { serveMetrics } = await import("./health/metrics/metrics-server.ts");
    const address = listenAddressOf(health.metrics_listen);
    const server = serveMetrics({ ...address, token, status, clock, logger });
    logger.info("metrics are served", { url: `${server.url}/metrics` });
    return server;
  } catch (error) {
    logger.error("there are no metrics", errorFields(error));
    return undefined;
  }
}
