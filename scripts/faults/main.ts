import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeError } from "../../src/common/errors.ts";
import { abortOnSignals } from "../../src/common/lifecycle.ts";
import { describeMachine } from "../benchmarks/machine.ts";
import { formatNumber } from "../benchmarks/report.ts";
import { buildBinary, type Target } from "../build.ts";
import { archiveFaults } from "./archive-faults.ts";
import { clockFaults } from "./clock-faults.ts";
import { diskFaults } from "./disk-faults.ts";
import type { Fault, FaultResult } from "./fault.ts";
import { formatColumns } from "./fault-table.ts";
import { hubFaults } from "./hub-faults.ts";
import { runHungNas } from "./hung-nas.ts";
import { processFaults } from "./process-faults.ts";
import { runFault } from "./run-fault.ts";
import { sourceFaults } from "./source-faults.ts";
import { runTestedFault, testedFaults } from "./test-faults.ts";

const faults: readonly Fault[] = [
  ...processFaults,
  ...sourceFaults,
  ...diskFaults,
  ...clockFaults,
  ...archiveFaults,
  ...hubFaults,
];

type Scale = "quick" | "full";

/** How long a fault lasts, how often what happens at a moment is done, and how many sites run at once. */
const sizes = {
  quick: { lastsMs: 4000, times: 3, sites: 3 },
  full: { lastsMs: 30_000, times: 20, sites: 2 },
};

interface Work {
  name: string;
  run: () => Promise<FaultResult>;
}

interface Choice {
  scale: Scale;
  /** Part of the names of faults; empty for all. */
  only: string;
  /** In place of how long faults last. */
  lastsMs: number | undefined;
}

async function runAll(choice: Choice, folder: string, signal: AbortSignal): Promise<boolean> {
  const { scale, only } = choice;
  const say = (text: string) => process.stderr.write(`simulate: ${text}\n`);
  say("compiling both programs");
  const target: Target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  const outDir = join(folder, "bin");
  const edge = await buildBinary({ binary: "edge", target, outDir });
  const binaries = { edge, hub: await buildBinary({ binary: "hub", target, outDir }) };
  const { times, sites } = sizes[scale];
  const lastsMs = choice.lastsMs ?? sizes[scale].lastsMs;
  const chosen = <T extends { name: string }>(all: readonly T[]) =>
    all.filter(({ name }) => name.includes(only));
  const unable: string[] = [];
  const isAble = ({ name, unable: why }: { name: string; unable?: string | undefined }) => {
    if (why !== undefined) unable.push(`${name}: ${why}`);
    return why === undefined;
  };
  const work: Work[] = [
    ...chosen(faults)
      .filter(isAble)
      .map((fault, n) => ({
        name: fault.name,
        run: () => runFault(fault, { lastsMs, times, folder: join(folder, `s${n}`), binaries, signal }),
      })),
    ...chosen(testedFaults)
      .filter(isAble)
      .map((fault) => ({ name: fault.name, run: () => runTestedFault(fault, scale, signal) })),
  ];
  console.log(`${new Date().toISOString().slice(0, 10)}, ${describeMachine()}`);
  const lasting = `faults that last do so for ${lastsMs / 1000} s; those of a moment happen ${times} times`;
  console.log(`livecam as it is compiled, segments of 2 s, fragments of 0.25 s; ${lasting}.\n`);
  const results = await runSome(work, sites, say, signal);
  process.stdout.write(formatResults(results));
  for (const why of unable) console.log(`\nNot tried: ${why}`);
  return results.every(({ broken }) => broken.length === 0);
}

/** So many at a time; the results in the order of the work. What throws is a result, too. */
async function runSome(
  work: readonly Work[],
  atOnce: number,
  say: (text: string) => void,
  signal: AbortSignal,
) {
  const results: FaultResult[] = [];
  let next = 0;
  const runNext = async (): Promise<void> => {
    const n = next++;
    const item = work[n];
    if (!item || signal.aborted) return;
    const startedMs = performance.now();
    results[n] = await item.run().catch((error: unknown) => ({
      name: item.name,
      seen: "",
      broken: [describeError(error instanceof SuppressedError ? error.error : error)],
    }));
    const { broken = [] } = results[n] ?? {};
    const took = formatNumber((performance.now() - startedMs) / 1000);
    if (!signal.aborted)
      say([`${item.name} (${took} s)`, ...broken.map((what) => `NOT AS PROMISED: ${what}`)].join("; "));
    return runNext();
  };
  await Promise.all(Array.from({ length: atOnce }, runNext));
  signal.throwIfAborted();
  return results;
}

function formatResults(results: readonly FaultResult[]): string {
  const seconds = (value: number | undefined) => (value === undefined ? "–" : `${value.toFixed(1)} s`);
  return formatColumns(
    ["fault", "lost", "records again after", "delivered after", "seen", ""],
    results.map((result) => [
      result.name,
      result.lostSeconds === 0 ? "0" : seconds(result.lostSeconds),
      seconds(result.recordsAfterSeconds),
      seconds(result.deliveredAfterSeconds),
      result.seen.replaceAll("|", "/"),
      result.broken.length === 0 ? "kept" : `BROKEN: ${result.broken.join("; ")}`,
    ]),
  );
}

interface Options extends Choice {
  command: "list" | "all" | "hung-nas";
  /** Of `hung-nas`. */
  minutes: number;
}

/** Throws with what is wrong. */
function parseOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean" },
      only: { type: "string", default: "" },
      minutes: { type: "string", default: "3" },
      seconds: { type: "string" },
      list: { type: "boolean" },
    },
  });
  const [command, ...more] = positionals;
  if (more.length > 0 || (command !== "all" && command !== "hung-nas")) {
    throw new TypeError("expected one of: all, hung-nas");
  }
  return {
    command: values.list ? "list" : command,
    scale: values.quick ? "quick" : "full",
    only: values.only,
    minutes: parseNumber("--minutes", values.minutes, 1440),
    lastsMs:
      values.seconds === undefined ? undefined : parseNumber("--seconds", values.seconds, 86_400) * 1000,
  };
}

function parseNumber(option: string, text: string, most: number): number {
  const number = Number(text);
  if (number > 0 && number <= most) return number;
  throw new TypeError(`${option} takes a number above 0, at most ${most}, not "${text}"`);
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions();
  } catch (error) {
    process.stderr.write(`simulate: ${(error as Error).message}; see scripts/simulate --help\n`);
    return 2;
  }
  if (options.command === "list") {
    for (const { name } of [...faults, ...testedFaults]) console.log(name);
    return 0;
  }
  const signal = abortOnSignals(() => process.stderr.write("simulate: ending\n"));
  const folder = await mkdtemp(join(tmpdir(), "livecam-simulate-"));
  try {
    const say = (text: string) => process.stderr.write(`simulate: ${text}\n`);
    const kept =
      options.command === "hung-nas"
        ? await runHungNas({ minutes: options.minutes, folder, signal, say })
        : await runAll(options, folder, signal);
    return kept ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return 130;
    process.stderr.write(`simulate: ${error instanceof Error ? error.stack : String(error)}\n`);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exit(await main());
