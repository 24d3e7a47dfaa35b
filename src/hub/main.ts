#!/usr/bin/env bun
import { runCli } from "./cli.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  entryFile: import.meta.path,
  in: process.stdin,
  out: process.stdout,
  err: process.stderr,
});
