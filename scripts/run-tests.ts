import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type FileOutcome, runTestFile, sideBySide } from "./test-files.ts";

const root = resolve(import.meta.dir, "..");

const usage = `Usage: scripts/test [--static] [--unit] [--e2e] [--kernel] [--binaries] [--only PATTERN] [--jobs N]

  --static        shellcheck, tsc and biome
  --unit          tests of single parts
  --e2e           tests of the running whole
  --kernel        NFS and SMB shares mounted by a Linux kernel of the tests' own
  --binaries      compiled programs away from the sources, linux-arm64 ones in an emulator
  --only PATTERN  test files whose path contains PATTERN
  --jobs N        so many files side by side; as many as there are processors, four at most, without it
Without options all of it, in this order. The last line is the count: "N passed, N failed", ", N skipped" where some
were, each named above with its reason. The exit code is 0 when nothing failed and something ran.

With CI=true, files in which something failed run once more, with nothing beside them; what passes then counts as passed
and is named as "unsteady" above the count: its test, or what it tests, has a race to be mended. What fails twice has
failed, and so has what hangs.
`;

const isKernel = (file: string) => file.startsWith("tests/kernel/");
const isBinaries = (file: string) => file.startsWith("tests/e2e/binaries");
/** The bench's own test starts the whole, too. */
const isE2e = (file: string) => file.startsWith("tests/e2e/") || isBench(file);
const isBench = (file: string) => file.startsWith("tests/scripts/bench");
/** What takes longest begins first, so that none of it is left for the end, when nothing goes on beside it. */
const byLength = (one: string, other: string) => Number(isBench(other)) - Number(isBench(one));

/** A test has ten times what it takes alone, and a file ends by itself long before its limit. */
const groups = [
  {
    name: "unit",
    testLimitSeconds: 60,
    limitMinutes: 5,
    holds: (file: string) => !isE2e(file) && !isKernel(file) && !isBinaries(file),
  },
  {
    name: "e2e",
    testLimitSeconds: 180,
    limitMinutes: 10,
    holds: (file: string) => isE2e(file) && !isBinaries(file),
  },
  { name: "kernel", testLimitSeconds: 300, limitMinutes: 8, holds: isKernel },
  { name: "binaries", testLimitSeconds: 120, limitMinutes: 8, holds: (file: string) => isBinaries(file) },
] as const;

interface Tally {
  passed: number;
  failures: string[];
  skipped: string[];
  /** Passed at the second try. */
  unsteady: string[];
  seconds: Map<string, number>;
}

/** Whoever ends us ends what we run, and gets no count of a run that is not whole. */
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => ending.abort(signal));

function leaveIfTold(): void {
  if (!ending.signal.aborted) return;
  process.stderr.write(`ended by ${ending.signal.reason}: the tests are not whole\n`);
  process.exit(1);
}

/** Runs a program on our own stdout and stderr; `null` when it was killed for taking too long. */
async function run(argv: string[], limitMinutes: number): Promise<number | null> {
  const child = Bun.spawn(argv, { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  const stop = () => child.kill("SIGTERM");
  ending.signal.addEventListener("abort", stop, { once: true });
  let tooLong = false;
  const timer = setTimeout(() => {
    tooLong = true;
    child.kill("SIGKILL");
  }, limitMinutes * 60_000);
  await child.exited;
  clearTimeout(timer);
  ending.signal.removeEventListener("abort", stop);
  leaveIfTold();
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

async function runGroup(group: (typeof groups)[number], files: string[], jobs: number, tally: Tally) {
  console.log(`--- ${group.name}: ${files.length} files`);
  const outcomes: FileOutcome[] = [];
  const runFile = async (file: string) => {
    const outcome = await runTestFile(file, { ...group, root, signal: ending.signal });
    process.stdout.write(outcome.output);
    return outcome;
  };
  await sideBySide(files, jobs, async (file) => {
    if (!ending.signal.aborted) outcomes.push(await runFile(file));
  });
  leaveIfTold();
  outcomes.sort((one, other) => (one.file < other.file ? -1 : 1));
  for (const first of outcomes) {
    let last = first;
    if (hasFailed(first) && !first.hung && process.env.CI === "true") {
      console.log(`--- ${group.name}, once more: ${first.file}`);
      const second = await runFile(first.file);
      leaveIfTold();
      if (!hasFailed(second)) {
        last = second;
        tally.unsteady.push(...troublesOf(first));
      }
    }
    tally.passed += last.report.passed;
    tally.failures.push(...troublesOf(last).map((text) => `${group.name}: ${text}`));
    tally.skipped.push(...last.report.skipped.map((title) => `${last.file}: ${title}`));
    tally.seconds.set(first.file, first.seconds);
  }
}

const hasFailed = ({ report, trouble }: FileOutcome) => trouble !== undefined || report.failed.length > 0;

function troublesOf({ file, report, trouble }: FileOutcome): string[] {
  const texts = trouble === undefined ? report.failed : [...report.failed, trouble];
  return texts.map((text) => `${file}: ${text}`);
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
      jobs: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const jobs = Number(values.jobs ?? Math.min(4, availableParallelism()));
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new Error(`--jobs has to be 1 or more, not ${values.jobs}\n`);
  const all = !(values.static || values.unit || values.e2e || values.kernel || values.binaries);
  return {
    help: values.help === true,
    static: values.static === true || (all && values.only === undefined),
    groups: groups.filter((group) => all || values[group.name]),
    only: values.only ?? "",
    jobs,
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

  const tally: Tally = { passed: 0, failures: [], skipped: [], unsteady: [], seconds: new Map() };
  if (options.static) await runStaticChecks(tally);
  const files = [...new Bun.Glob("tests/**/*.test.{ts,tsx}").scanSync({ cwd: root })].sort();
  for (const group of options.groups) {
    const chosen = files.filter((file) => group.holds(file) && file.includes(options.only)).sort(byLength);
    if (chosen.length > 0) await runGroup(group, chosen, options.jobs, tally);
  }

  const failed = tally.failures.length;
  console.log("---");
  const slowest = [...tally.seconds].sort(([, one], [, other]) => other - one).slice(0, 10);
  for (const [file, seconds] of slowest) console.log(`${seconds.toFixed(1).padStart(6)} s  ${file}`);
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
