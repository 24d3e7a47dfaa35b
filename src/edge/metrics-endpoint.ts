import type { Clock } from "../common/clock.ts";
import { createLogger, errorFields } from "../common/log.ts";
import type { EdgeStatus } from "../common/protocol/control.ts";
import type { Secret } from "../common/secret.ts";
import type { EdgeConfig } from "./config.ts";
import { listenAddressOf } from "./health-config.ts";

export interface MetricsEndpointOptions {
  status: () => Promise<EdgeStatus>;
  clock: Clock;
}

/**
 * Serves the metrics where the config says so. What it needs is only loaded then: a node without them does without
 * their memory. Recording goes on where the address cannot be had.
 */
export class MetricsEndpoint implements AsyncDisposable {
  readonly #options: MetricsEndpointOptions;
  #server: AsyncDisposable | undefined;

  constructor(options: MetricsEndpointOptions) {
    this.#options = options;
  }

  /** In place of where they were served so far. Never rejects. */
  async open(health: EdgeConfig["health"], token: Secret | undefined): Promise<void> {
    const logger = createLogger("metrics");
    try {
      await this[Symbol.asyncDispose]();
      if (health.metrics_listen === undefined) return;
      const { serveMetrics } = await import("./health/metrics/metrics-server.ts");
      const address = listenAddressOf(health.metrics_listen);
      const server = serveMetrics({ ...this.#options, ...address, token, logger });
      logger.info("metrics are served", { url: `${server.url}/metrics` });
      this.#server = server;
    } catch (error) {
      logger.error("there are no metrics", errorFields(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
  }
}
