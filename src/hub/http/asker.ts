import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";

/** On whose behalf something is asked of another machine, for the log. */
export interface Asker {
  who: string;
  requestId: string;
}

/** Who sends a request. */
export function askerOf(c: Context<AppEnv>): Asker {
  const { principal, requestId } = c.var;
  const who =
    principal.kind === "person"
      ? `person:${principal.name}`
      : principal.kind === "anonymous"
        ? "anonymous"
        : `${principal.kind}:${principal.keyId}`;
  return { who, requestId };
}
