import type { Context } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import type { Asker } from "./remote-nodes.ts";

/** Who sends a request, as the log names them. */
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
