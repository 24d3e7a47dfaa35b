import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseJunitReport, type TestReport } from "./junit-report.ts";

const root = resolve(import.meta.dir, "..");

const usage = `Usage: scripts/test [--static] [--unit] [--e2e] [--kernel] [--binaries] [--only PATTERN]

  --static        shellcheck, tsc and biome
  --unit          tests of single parts
  --e2e           tests of the running whole
  --kernel        NFS and SMB shares mounted by a Linux kernel of the tests' own
  --binaries      compiled programs away from the sources, linux-arm64 ones in an emulator
  --only PATTERN  test files whose path contains PATTERN
Without options all of it, in this order. The last line is the count: "N passed, N failed", ", N skipped" where some
were, each named above with its reason. The exit code is 0 when nothing failed and something ran.

With CI=true, files with a failed test run once more, by themselves; what passes then counts as passed and is named as
"unsteady" above the count: its test, or what it tests, has a race to be mended. What fails twice has failed.
`;

const isKernel = (file: string) => file.startsWith("tests/kernel/");
const isBinaries = (file: string) => file.startsWith("tests/e2e/binaries");
/** The bench's own test starts the whole, too. */
const isE2e = (file: string) => file.startsWith("tests/e2e/") || file.startsWith("tests/scripts/bench");

/** A group ends by itself long before this; what hangs is killed and counted as failed. */
const groups = [
  {
    name: "unit",
    limitMinutes: 12,
    holds: (file: string) => !isE2e(file) && !isKernel(file) && !isBinaries(file),
  },
  { name: "e2e", limitMinutes: 15, holds: (file: string) => isE2e(file) && !isBinaries(file) },
  { name: "kernel", limitMinutes: 8, holds: isKernel },
  { name: "binaries", limitMinutes: 6, holds: (file: string) => isBinaries(file) },
] as const;

interface Tally {
  passed: number;
  failures: string[];
  skipped: string[];
  /** Passed at the second try. */
  unsteady: string[];
}

/**
 * Runs a program on our own stdout and stderr; `null` when it was killed for taking too long. Whoever ends us ends it,
 * and gets no count of a run that is not whole.
 */
async function run(argv: string[], limitMinutes: number): Promise<number | null> {
  const child = Bun.spawn(argv, { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  let endedBy: string | undefined;
  const stop = (signal: NodeJS.Signals) => {
    endedBy = signal;
    child.kill("SIGTERM");
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  let tooLong = false;
  const timer = setTimeout(() => {
    tooLong = true;
    child.kill("SIGKILL");
  }, limitMinutes * 60_000);
  await child.exited;
  clearTimeout(timer);
  process.off("SIGTERM", stop);
  process.off("SIGINT", stop);
  if (endedBy !== undefined) {
    process.stderr.write(`ended by ${endedBy}: the tests are not whole\n`);
    process.exit(1);
  }
  if (tooLong) return null;
  // As shells count a death by a signal.
  return child.exitCode ?? 128;
}

/** Every file that a shell runs, by its first line. */
async function listShellScripts(): Promise<string[]> {
  const found: string[] = [];
  for (const pattern of ["scripts/*", ".ci/*", "deploy/**"]) {
    for (const path of new Bun.Glob(pattern).scanSync({ cwd: root, dot: true })) {
      const head = await Bun.file(join(root, path)).slice(0, 64).text();
      if (/^#!.*\b(?:ba)?sh\b/.test(head)) found.push(path);
    }
  }
  return found.sort();
}

async function runStaticChecks(tally: Tally): Promise<void> {
  const checks = [
    { name: "shellcheck", argv: ["shellcheck", "--external-sources", ...(await listShellScripts())] },
    { name: "tsc", argv: [process.execPath, "--bun", "x", "tsc", "--noEmit"] },
    // The pages' script runs in a browser, which has other types.
    {
      name: "tsc of the pages' script",
      argv: [process.execPath, "--bun", "x", "tsc", "--noEmit", "--project", "src/hub/ui/client"],
    },
    { name: "biome", argv: [process.execPath, "--bun", "x", "biome", "check", "--error-on-warnings", "."] },
  ];
  for (const { name, argv } of checks) {
    if (name === "shellcheck" && Bun.which(name) === null) {
      tally.skipped.push("shellcheck [it is not installed]");
      continue;
    }
    console.log(`--- ${name}`);
    const exitCode = await run(argv, 3);
    if (exitCode === 0) tally.passed++;
    else tally.failures.push(name);
  }
}

interface Outcome {
  /** `null` when the runner was killed for taking too long. */
  exitCode: number | null;
  /** `undefined` when the runner died before it wrote one. */
  report: TestReport | undefined;
}

async function runFiles(files: string[], limitMinutes: number): Promise<Outcome> {
  const scratch = await mkdtemp(join(tmpdir(), "livecam-tests-"));
  try {
    const reportFile = join(scratch, "junit.xml");
    const exitCode = await run(
      [
        ...[process.execPath, "test", "--no-orphans", "--timeout", "60000"],
        ...["--reporter=junit", `--reporter-outfile=${reportFile}`],
        ...files.map((file) => `./${file}`),
      ],
      limitMinutes,
    );
    const xml = (await Bun.file(reportFile).exists()) ? await Bun.file(reportFile).text() : "";
    return { exitCode, report: xml === "" ? undefined : parseJunitReport(xml) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runGroup(group: (typeof groups)[number], files: string[], tally: Tally): Promise<void> {
  console.log(`--- ${group.name}: ${files.length} files`);
  const { exitCode, report } = await runFiles(files, group.limitMinutes);
  const fail = (what: string) => tally.failures.push(`${group.name}: ${what}`);
  if (exitCode === null) fail(`still running after ${group.limitMinutes} minutes`);
  else if (report === undefined) fail(`the test runner died (exit code ${exitCode})`);
  if (report === undefined) return;

  // A file that throws while it is loaded has no test in the report, nor has one that is empty.
  for (const file of files.filter((file) => !report.has(file))) fail(`${file}: none of its tests ran`);
  const failing = [...report].filter(([, { failed }]) => failed.length > 0).map(([file]) => file);
  if (exitCode !== 0 && exitCode !== null && failing.length === 0 && report.size === files.length) {
    fail(`error outside of any test (exit code ${exitCode})`);
  }
  if (failing.length > 0 && exitCode !== null && process.env.CI === "true") {
    await runAgain(group, failing, report, tally);
  }
  for (const [file, { passed, failed, skipped }] of report) {
    tally.passed += passed;
    for (const title of failed) fail(`${file}: ${title}`);
    tally.skipped.push(...skipped.map((title) => `${file}: ${title}`));
  }
}

/** Puts what a file said at the second try in the place of what it said at the first, when nothing was wrong then. */
async function runAgain(group: (typeof groups)[number], files: string[], report: TestReport, tally: Tally) {
  for (const file of files) {
    console.log(`--- ${group.name}, once more: ${file}`);
    const again = await runFiles([file], group.limitMinutes);
    const second = again.report?.get(file);
    if (again.exitCode !== 0 || second === undefined) continue;
    for (const title of report.get(file)?.failed ?? []) tally.unsteady.push(`${file}: ${title}`);
    report.set(file, second);
  }
}

function parseOptions(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      static: { type: "boolean" },
      unit: { type: "boolean" },
      e2e: { type: "boolean" },
      kernel: { type: "boolean" },
      binaries: { type: "boolean" },
      only: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const all = !(values.static || values.unit || values.e2e || values.kernel || values.binaries);
  return {
    help: values.help === true,
    static: values.static === true || (all && values.only === undefined),
    groups: groups.filter((group) => all || values[group.name]),
    only: values.only ?? "",
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }

  const tally: Tally = { passed: 0, failures: [], skipped: [], unsteady: [] };
  if (options.static) await runStaticChecks(tally);
  const files = [...new Bun.Glob("tests/**/*.test.{ts,tsx}").scanSync({ cwd: root })].sort();
  for (const group of options.groups) {
    const chosen = files.filter((file) => group.holds(file) && file.includes(options.only));
    if (chosen.length > 0) await runGroup(group, chosen, tally);
  }

  const failed = tally.failures.length;
  console.log("---");
  for (const text of tally.skipped) {
    console.log(`skipped: ${text}${text.endsWith("]") ? "" : " [no reason given]"}`);
  }
  for (const text of tally.unsteady) console.log(`unsteady, passed at the second try: ${text}`);
  for (const text of tally.failures) console.log(`failed: ${text}`);
  if (tally.passed + failed === 0) console.log("nothing ran");
  const skipped = tally.skipped.length > 0 ? `, ${tally.skipped.length} skipped` : "";
  console.log(`${tally.passed} passed, ${failed} failed${skipped}`);
  return failed === 0 && tally.passed > 0 ? 0 : 1;
}

// Not process.exitCode: a leftover handle must not keep the command from ending.
process.exit(await main());
