import { join } from "node:path";
import { runChild, startChild } from "../../src/common/child-process.ts";
import type { DrainPlan, DrainResult } from "./drain-client.ts";

const argv = [process.execPath, join(import.meta.dir, "drain-client.ts")];
const stdinOf = (plan: DrainPlan) => new TextEncoder().encode(JSON.stringify(plan));

/** Sends a request and takes the whole answer, up to the end of the connection. */
export async function drainAnswer(plan: Required<DrainPlan>, signal: AbortSignal): Promise<DrainResult> {
  const exit = await runChild({ argv, stdin: stdinOf(plan), timeoutMs: 300_000, signal });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`the client failed: ${exit.stderrTail.trim()}`);
  return JSON.parse(new TextDecoder().decode(exit.stdout)) as DrainResult;
}

/** Runs a line of bash in which `$OUT` is a connection that is read as quickly as can be. */
export async function drainCommand(
  command: string,
  { cwd, signal }: { cwd: string; signal: AbortSignal },
): Promise<DrainResult> {
  const client = startChild({ argv, stdin: stdinOf({}), stdout: "pipe", signal });
  const reader = client.stdout.getReader();
  let text = "";
  const decoder = new TextDecoder();
  const readOn = async () => {
    const { done, value } = await reader.read();
    if (!done) text += decoder.decode(value);
    return !done;
  };
  while (!text.includes("\n")) if (!(await readOn())) throw new Error("the client ended before it listened");
  const port = Number(text.slice(0, text.indexOf("\n")));
  const exit = await runChild({
    argv: ["bash", "-c", `OUT=/dev/tcp/127.0.0.1/${port}; ${command}`],
    cwd,
    timeoutMs: 300_000,
    signal,
  });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`${command} failed: ${exit.stderrTail.trim()}`);
  while (await readOn());
  await client.exited;
  return JSON.parse(text.slice(text.indexOf("\n") + 1)) as DrainResult;
}
