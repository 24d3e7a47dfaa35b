import { Hono } from "hono";
import { describeRoute } from "hono-openapi";
import { allow } from "../http/access.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { HubMetrics } from "./hub-metrics.ts";

export function createMetricsRoutes({ metrics }: { metrics: Pick<HubMetrics, "text" | "contentType"> }) {
  // No JSON, and for Prometheus alone: the description of the API leaves it out.
  return new Hono<AppEnv>().get("/metrics", allow("read"), describeRoute({ hide: true }), async (c) =>
    c.body(await metrics.text(), 200, { "content-type": metrics.contentType }),
  );
}
