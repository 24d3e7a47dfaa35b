import { join, resolve } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import type { FaultResult } from "./fault.ts";

/** What is tried by a test that can be made longer, and says its figures in a line. */
export interface TestedFault {
  name: string;
  file: string;
  env: (scale: "quick" | "full") => Record<string, string>;
  /** Of what it prints. */
  figures: RegExp;
  unable?: string | undefined;
}

const root = resolve(import.meta.dir, "../..");

export const testedFaults: readonly TestedFault[] = [
  {
    name: "power cut, at random moments (fsync every 2 s, fragments of 0.4 s)",
    file: "tests/edge/spool/power-cut.test.ts",
    env: (scale) => ({ LIVECAM_POWER_CUTS: scale === "quick" ? "10" : "200" }),
    figures: /^(\d+ power cuts.*)$/m,
    unable: process.getuid?.() === 0 ? undefined : "needs root",
  },
  {
    name: "killed right before every step of a segment's life",
    file: "tests/edge/spool/crash-steps.test.ts",
    env: () => ({}),
    figures: /^\s*(\d+ pass)$/m,
  },
  {
    name: "every order of backups, restores, lost answers and new starts of hub and node",
    file: "tests/edge/hub-link/reconciler.test.ts",
    env: (scale) => ({ LIVECAM_RECONCILE_RUNS: scale === "quick" ? "50" : "1000" }),
    figures: /^\s*(\d+ pass)$/m,
  },
  {
    name: "daylight saving in Seoul (none), Berlin and New York, both ways",
    file: "tests/edge/recorder/daylight-saving.test.ts",
    env: () => ({}),
    figures: /^\s*(\d+ pass)$/m,
  },
];

export async function runTestedFault(
  fault: TestedFault,
  scale: "quick" | "full",
  signal: AbortSignal,
): Promise<FaultResult> {
  const { exitCode, stdout, stderrTail } = await runChild({
    argv: [process.execPath, "test", "--no-orphans", "--timeout", "60000", join(".", fault.file)],
    cwd: root,
    env: { ...process.env, ...fault.env(scale) },
    timeoutMs: 1_800_000,
    signal,
  });
  const text = `${new TextDecoder().decode(stdout)}\n${stderrTail}`;
  const figures = fault.figures.exec(text)?.[1] ?? "no figures";
  return { name: fault.name, seen: figures, broken: exitCode === 0 ? [] : [`${fault.file} fails`] };
}
