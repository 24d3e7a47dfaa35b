import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import type { LoadPlan, LoadResult } from "./load-client.ts";

/** Runs the load client as a process of its own. Throws with its message when an answer is not the one expected. */
export async function runLoadClient(plan: LoadPlan, signal: AbortSignal): Promise<LoadResult> {
  const exit = await runChild({
    argv: [process.execPath, join(import.meta.dir, "load-client.ts")],
    stdin: new TextEncoder().encode(JSON.stringify(plan)),
    timeoutMs: 120_000,
    signal,
  });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`the load client failed: ${exit.stderrTail.trim()}`);
  return JSON.parse(new TextDecoder().decode(exit.stdout)) as LoadResult;
}

/** A GET on a connection that stays open; header names and values as they are. */
export function formatGet(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: "127.0.0.1", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
