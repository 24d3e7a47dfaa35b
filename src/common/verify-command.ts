import { type Clock, systemClock } from "./clock.ts";

/** Where text goes: `process.stdout` and `process.stderr`, or a test's. */
export interface TextSink {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface VerifyCommandOptions {
  /** One JSON object per line instead of text. */
  json?: boolean;
  /** Only what is wrong. */
  quiet?: boolean;
  out: TextSink;
  err: TextSink;
  signal?: AbortSignal;
  clock?: Clock;
}

/**
 * `verify FILE…` of both binaries. Resolves to the exit code: 0 all is well, 1 something is wrong, 2 bad usage,
 * 130 cancelled.
 */
export function runVerify(
  _paths: readonly string[],
  { clock = systemClock }: VerifyCommandOptions,
): Promise<number> {
  return Promise.reject(new Error(`not implemented ${clock.wallMs()}`));
}
