import type { MiddlewareHandler } from "hono";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Gives every request an id and writes one line when it is answered: at debug level, at info when it was refused.
 * The query is left out, since people put secrets there; control characters are escaped by the log's JSON.
 */
export function requestLog(options: {
  logger: Logger;
  clock: Clock;
  /** Hears of every answer, quickly. */
  onAnswered?: ((answer: { path: string; status: number; tookMs: number }) => void) | undefined;
}): MiddlewareHandler<AppEnv> {
  const { logger, clock, onAnswered } = options;
  const prefix = Math.floor(clock.wallMs() / 1000).toString(36);
  let count = 0;
  return async (c, next) => {
    const startedAt = clock.monotonicMs();
    const requestId = `${prefix}-${(count++).toString(36)}`;
    c.set("requestId", requestId);
    await next();
    const tookMs = clock.monotonicMs() - startedAt;
    const status = c.var.sentStatus ?? c.res.status;
    onAnswered?.({ path: c.req.path, status, tookMs });
    const level = status < 400 ? "debug" : "info";
    if (level === "debug" && !logger.isEnabledFor("debug")) return;
    const { principal } = c.var;
    logger[level]("request", {
      request_id: requestId,
      method: c.req.raw.method,
      path: c.req.path.slice(0, 200),
      status,
      duration_ms: Math.round(tookMs),
      from: c.env.addressOf(c.req.raw) ?? null,
      who: principal === undefined ? null : nameOf(principal),
    });
  };
}

function nameOf(principal: AppEnv["Variables"]["principal"]): string {
  switch (principal.kind) {
    case "anonymous":
      return "anonymous";
    case "person":
      return `person:${principal.name}`;
    default:
      return `${principal.kind}:${principal.keyId}`;
  }
}
