import { AppError } from "../../common/errors.ts";
import type { Backoff } from "../../common/retry.ts";

/** How long to wait after a failed exchange, in ms: what the backoff says, or what the hub asked for where that is longer. */
export function retryDelayMs(backoff: Backoff, error: unknown): number {
  const asked = error instanceof AppError ? error.details.retryAfterMs : undefined;
  return Math.max(backoff.next(), typeof asked === "number" ? asked : 0);
}
