import type { Context } from "hono";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { readBody } from "../http/json-body.ts";
import { LocalPath } from "./page-queries.ts";

const maxFormBytes = 4096;

/** Where a form of our pages leads back to. Throws `invalid_input` for what is no form, or leads elsewhere. */
export async function nextOf(c: Context<AppEnv>): Promise<string> {
  const mediaType = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  const body = mediaType === "application/x-www-form-urlencoded" && (await readBody(c.req.raw, maxFormBytes));
  const fields = body instanceof Uint8Array ? new URLSearchParams(new TextDecoder().decode(body)) : undefined;
  const next = v.safeParse(LocalPath, fields?.get("next") ?? "/nodes");
  if (!fields || !next.success)
    throw new AppError("invalid_input", "this is not the form of one of our pages");
  return next.output;
}
