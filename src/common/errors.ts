/**
 * What went wrong, in words a caller can branch on. Each code maps to one HTTP status and one exit code, so a
 * new code is added here only when somebody has to act differently on it.
 */
export type ErrorCode =
  | "invalid_input" // the caller sent something we refuse; `issues` names the fields
  | "invalid_config"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict" // same id, other content
  | "already_running"
  | "corrupt_file"
  | "io" // disk, NAS, pipe
  | "unavailable" // try again later
  | "timeout"
  | "no_answer" // another machine was asked and did not answer in time: what was asked may have been done
  | "not_supported" // never, by this release; trying again does not help
  | "cancelled"
  | "internal";

/** One thing that is wrong with an input, addressed to the person who wrote it. */
export interface InputIssue {
  /** Dotted path of the field, `cameras.0.width`; empty for the whole. */
  path: string;
  /** What was expected, in a sentence. */
  message: string;
  /** What was there, shortened; absent where it may be a secret. */
  received?: string;
}

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly issues: readonly InputIssue[];
  /** Values that help whoever reads the log; never a secret. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; issues?: readonly InputIssue[]; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.details = options.details ?? {};
  }
}

/** The code of any thrown value; what is not ours is `internal`. */
export function errorCodeOf(error: unknown): ErrorCode {
  return error instanceof AppError ? error.code : "internal";
}

/** A one-line text of an error with its chain of causes, for logs and status fields. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let current = error, depth = 0; current !== undefined && depth < 5; depth++) {
    if (!(current instanceof Error)) {
      parts.push(String(current));
      break;
    }
    parts.push(current.message);
    current = current.cause;
  }
  return parts.join(": ");
}

/** The errno name of a system error (`ENOSPC`), if it is one. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
