import type { Command } from "commander";
import type { TextSink } from "../common/verify-progress.ts";

export interface CliContext {
  env: Readonly<Record<string, string | undefined>>;
  /** Of the program, to start itself as a worker. */
  entryFile: string;
  out: TextSink;
  err: TextSink;
}

/** 0 done, 1 failed, 2 asked for in a way that cannot work: arguments, config, a second edge on the same spool. */
export type ExitCode = number;

/** Adds to a command the work that it does, which resolves to its exit code. */
export type AddWork = <A extends unknown[]>(
  command: Command,
  work: (...args: A) => Promise<ExitCode>,
) => void;
