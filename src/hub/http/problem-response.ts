import { AppError, type InputIssue } from "../../common/errors.ts";
import { httpStatusOf, type Problem } from "../../common/protocol/problem.ts";

const titles = new Map<number, string>([
  [400, "Bad request"],
  [401, "Not signed in"],
  [403, "Not allowed"],
  [404, "Not found"],
  [405, "Method not allowed"],
  [408, "Request too slow"],
  [409, "Conflict"],
  [412, "Precondition failed"],
  [413, "Content too large"],
  [415, "Unsupported media type"],
  [416, "Range not satisfiable"],
  [429, "Too many requests"],
  [499, "Cancelled"],
  [426, "Upgrade required"],
  [500, "Internal error"],
  [501, "Not supported"],
  [503, "Unavailable"],
  [504, "No answer"],
]);

export interface ProblemOptions {
  status: number;
  code: string;
  detail?: string;
  issues?: readonly InputIssue[];
}

export function problemOf({ status, code, detail, issues }: ProblemOptions): Problem {
  return {
    type: "about:blank",
    title: titles.get(status) ?? "Error",
    status,
    ...(detail === undefined ? {} : { detail }),
    code,
    ...(issues && issues.length > 0 ? { issues: [...issues] } : {}),
  };
}

/** The problem of any thrown value. What is not ours says no more than that it happened: it may hold paths or SQL. */
export function problemOfError(error: unknown, requestId: string): Problem {
  if (!(error instanceof AppError) || error.code === "internal" || error.code === "invalid_config") {
    return problemOf({
      status: 500,
      code: "internal",
      detail: `something went wrong; the hub's log has it under request ${requestId}`,
    });
  }
  return problemOf({
    status: httpStatusOf[error.code],
    code: error.code,
    detail: error.message,
    issues: error.issues,
  });
}

/** RFC 9457. 401 names the scheme (RFC 9110, 11.6.1), 503 asks to come back. */
export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(problem.status === 401 ? { "www-authenticate": 'Bearer realm="livecam"' } : {}),
      ...(problem.status === 503 ? { "retry-after": "5" } : {}),
      ...headers,
    },
  });
}
