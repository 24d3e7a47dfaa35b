import * as v from "valibot";
import type { ErrorCode } from "../errors.ts";

/** RFC 9457 problem details: the body of every answer of 400 and above, `application/problem+json`. */
export const Problem = v.object({
  type: v.literal("about:blank"),
  title: v.string(),
  status: v.number(),
  detail: v.optional(v.string()),
  code: v.string(),
  /** The fields that were refused. */
  issues: v.optional(
    v.array(v.object({ path: v.string(), message: v.string(), received: v.optional(v.string()) })),
  ),
});
export type Problem = v.InferOutput<typeof Problem>;

export const httpStatusOf: Record<ErrorCode, number> = {
  invalid_input: 400,
  invalid_config: 500,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  already_running: 409,
  corrupt_file: 500,
  io: 503,
  unavailable: 503,
  timeout: 503,
  no_answer: 504,
  not_supported: 501,
  cancelled: 499,
  internal: 500,
};
