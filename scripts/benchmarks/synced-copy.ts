import { runChild } from "../../src/common/child-process.ts";

/** `cp` and then fsync of the copy, as a person would copy a video: the yardstick. Resolves to seconds. */
export async function copySynced(from: string, to: string, signal: AbortSignal): Promise<number> {
  const startedAtMs = performance.now();
  for (const argv of [
    ["cp", "--", from, to],
    ["sync", "--", to],
  ]) {
    const exit = await runChild({ argv, timeoutMs: 300_000, signal });
    signal.throwIfAborted();
    if (exit.exitCode !== 0) throw new Error(`${argv.join(" ")} failed: ${exit.stderrTail.trim()}`);
  }
  return (performance.now() - startedAtMs) / 1000;
}
