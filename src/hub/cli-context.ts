import type { TextSink } from "../common/verify-progress.ts";

export interface CliContext {
  /** Of the program, to start itself as a worker. */
  entryFile: string;
  in: NodeJS.ReadStream;
  out: TextSink;
  err: TextSink;
}
