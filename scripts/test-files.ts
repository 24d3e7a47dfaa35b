import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileReport, parseJunitReport } from "./junit-report.ts";

/** What a test file said of itself. */
export interface FileOutcome {
  file: string;
  report: FileReport;
  /** What is wrong beside its tests: it threw while it was loaded, died, or hung. */
  trouble: string | undefined;
  hung: boolean;
  seconds: number;
  /** All that it wrote, as it came. */
  output: string;
}

export interface FileOptions {
  root: string;
  /** Of a test that has no limit of its own. */
  testLimitSeconds: number;
  /** What takes longer hangs where no test's limit can end it, and is killed. */
  limitMinutes: number;
  /** Ends it. */
  signal: AbortSignal;
}

/**
 * Runs one test file by itself: a process that is the leader of a session of its own, so that nothing in it can end
 * another file or this runner (a server that tells its whole process group to end did that), and so that all of it is
 * gone when it ends, also what a test left behind.
 */
export async function runTestFile(
  file: string,
  { root, testLimitSeconds, limitMinutes, signal }: FileOptions,
): Promise<FileOutcome> {
  const scratch = await mkdtemp(join(tmpdir(), "livecam-tests-"));
  const reportFile = join(scratch, "junit.xml");
  const outputFile = join(scratch, "output");
  const startedMs = performance.now();
  try {
    const output = openSync(outputFile, "a");
    const child = Bun.spawn(
      [
        ...[process.execPath, "test", "--no-orphans", "--timeout", String(testLimitSeconds * 1000)],
        ...["--max-concurrency", String(atOnce)],
        ...["--reporter=junit", `--reporter-outfile=${reportFile}`, `./${file}`],
      ],
      { cwd: root, stdin: "ignore", stdout: output, stderr: output, detached: true },
    );
    closeSync(output);
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      killSession(child.pid);
    }, limitMinutes * 60_000);
    await child.exited;
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    killSession(child.pid);

    const xml = (await Bun.file(reportFile).exists()) ? await Bun.file(reportFile).text() : "";
    const report = parseJunitReport(xml).get(file) ?? { passed: 0, failed: [], skipped: [] };
    return {
      ...{ file, report, hung, output: await Bun.file(outputFile).text() },
      trouble: hung ? `still running after ${limitMinutes} minutes` : troubleOf(child, xml, report),
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Of the tests of a file that say that they may run beside each other. */
const atOnce = 4;

function troubleOf(child: Bun.Subprocess, xml: string, report: FileReport): string | undefined {
  const how = child.signalCode ?? `exit code ${child.exitCode}`;
  if (xml === "") return `the test runner died (${how})`;
  // A file that throws while it is loaded has no test in the report, nor has one that is empty.
  if (report.passed + report.failed.length + report.skipped.length === 0) return "none of its tests ran";
  if (child.exitCode !== 0 && report.failed.length === 0) return `error outside of any test (${how})`;
  return undefined;
}

function killSession(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Runs `work` over `items` in order, `width` of them at once; rejects with the first that does, when all have ended. */
export async function sideBySide<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>) {
  const left = [...items];
  const lanes = Array.from({ length: Math.max(1, width) }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  });
  for (const { status, ...lane } of await Promise.allSettled(lanes)) {
    if (status === "rejected") throw (lane as PromiseRejectedResult).reason;
  }
}
