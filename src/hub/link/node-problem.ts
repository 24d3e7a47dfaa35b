import { AppError, type ErrorCode, type InputIssue } from "../../common/errors.ts";
import type { LinkProblem } from "../../common/protocol/link.ts";
import { plainTextOf } from "../../common/protocol/wire.ts";

/** What a node's refusal means to whoever asked the hub. Its `unauthorized` would sign people out of the hub. */
const codes = new Map<string, ErrorCode>([
  ["invalid_input", "invalid_input"],
  ["invalid_config", "invalid_input"],
  ["not_found", "not_found"],
  ["conflict", "conflict"],
  ["not_supported", "not_supported"],
  ["timeout", "no_answer"],
]);

/** The error for a node's problem: its words, made safe for logs and headers. */
export function errorOfNode({ code, detail, title, issues = [] }: LinkProblem, nodeId: string): AppError {
  return new AppError(
    codes.get(code) ?? "unavailable",
    `node ${nodeId} says: ${plainTextOf(detail ?? title, 1000)}`,
    {
      issues: issues.map(
        ({ path, message, received }): InputIssue => ({
          path: plainTextOf(path, 500),
          message: plainTextOf(message, 1000),
          ...(received !== undefined && { received: plainTextOf(received, 500) }),
        }),
      ),
    },
  );
}
