import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { abortOnSignals } from "../../src/common/lifecycle.ts";
import { buildBinary, type Target } from "../build.ts";
import { archiveBenchmark } from "./archive-benchmark.ts";
import { backlogBenchmark } from "./backlog-benchmark.ts";
import type { Benchmark, BenchmarkContext, Binaries, Scale } from "./benchmark.ts";
import { edge4Benchmark, edgeBenchmark } from "./edge-benchmark.ts";
import { exportBenchmark } from "./export-benchmark.ts";
import { listBenchmark } from "./list-benchmark.ts";
import { liveBenchmark } from "./live-benchmark.ts";
import { describeMachine, describeOthersLoad } from "./machine.ts";
import { picturesBenchmark } from "./pictures-benchmark.ts";
import { playerBenchmark } from "./player-benchmark.ts";
import { playlistBenchmark } from "./playlist-benchmark.ts";
import { qualitiesBenchmark } from "./qualities-benchmark.ts";
import { rangeBenchmark } from "./range-benchmark.ts";
import { formatTable, type JudgedRow, judgeRow } from "./report.ts";
import { startupBenchmark } from "./startup-benchmark.ts";
import { viewersBenchmark } from "./viewers-benchmark.ts";
import { visibleBenchmark } from "./visible-benchmark.ts";

const benchmarks: readonly Benchmark[] = [
  startupBenchmark,
  archiveBenchmark,
  backlogBenchmark,
  rangeBenchmark,
  listBenchmark,
  playlistBenchmark,
  playerBenchmark,
  picturesBenchmark,
  exportBenchmark,
  qualitiesBenchmark,
  viewersBenchmark,
  visibleBenchmark,
  liveBenchmark,
  edgeBenchmark,
  edge4Benchmark,
];

const usage = `Usage: scripts/bench [NAME…] [--quick | --tiny] [--json FILE] [--binaries DIR] [--list]

Measures livecam beside its peers, in turns on this machine, and prints a table: median (lowest–highest) of the
rounds, the ratio round by round, and whether the goal is met. Without names all of it, about half an hour.

  --quick         shorter and smaller, about five minutes: for a first look
  --tiny          only to see that everything runs; the figures mean nothing
  --json FILE     writes the figures there, too
  --binaries DIR  measures the programs that scripts/build wrote to DIR instead of compiling them
  --list          names and what they measure
`;

interface Options {
  chosen: readonly Benchmark[];
  scale: Scale;
  jsonFile: string | undefined;
  binariesDir: string | undefined;
  command: "run" | "list" | "help";
}

function parseOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      quick: { type: "boolean" },
      tiny: { type: "boolean" },
      json: { type: "string" },
      binaries: { type: "string" },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  for (const name of positionals) {
    if (!benchmarks.some((benchmark) => benchmark.name === name)) {
      throw new TypeError(`no benchmark is called "${name}"; --list names them`);
    }
  }
  return {
    chosen: benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    scale: values.tiny ? "tiny" : values.quick ? "quick" : "full",
    jsonFile: values.json === undefined ? undefined : resolve(values.json),
    binariesDir: values.binaries === undefined ? undefined : resolve(values.binaries),
    command: values.help ? "help" : values.list ? "list" : "run",
  };
}

/** Compiles both programs when the first benchmark asks for them. */
function compileOnce(folder: string, say: (text: string) => void): () => Promise<Binaries> {
  let binaries: Promise<Binaries> | undefined;
  const target: Target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  const compile = async (): Promise<Binaries> => {
    say("compiling both programs");
    const edge = await buildBinary({ binary: "edge", target, outDir: folder });
    return { edge, hub: await buildBinary({ binary: "hub", target, outDir: folder }) };
  };
  return () => {
    binaries ??= compile();
    return binaries;
  };
}

function existingBinaries(folder: string): () => Promise<Binaries> {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const pathOf = async (name: string) => {
    const path = join(folder, `livecam-${name}-linux-${arch}`);
    if (!(await Bun.file(path).exists())) throw new Error(`there is no ${path}; scripts/build makes it`);
    return path;
  };
  return async () => ({ edge: await pathOf("edge"), hub: await pathOf("hub") });
}

async function runOne(benchmark: Benchmark, context: Omit<BenchmarkContext, "scratch">, folder: string) {
  const scratch = join(folder, benchmark.name);
  await mkdir(scratch);
  try {
    const startedAtMs = performance.now();
    const busyBefore = await describeOthersLoad(context.signal);
    const rows = (await benchmark.run({ ...context, scratch })).map(judgeRow);
    context.signal.throwIfAborted();
    const busy = busyBefore ?? (await describeOthersLoad(context.signal));
    return { name: benchmark.name, seconds: (performance.now() - startedAtMs) / 1000, busy, rows };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.command === "help") process.stdout.write(usage);
  if (options.command === "list") {
    for (const { name, summary } of benchmarks) console.log(`${name.padEnd(10)} ${summary}`);
  }
  if (options.command !== "run") return 0;

  const signal = abortOnSignals(() => process.stderr.write("bench: ending\n"));
  const folder = await mkdtemp(join(tmpdir(), "livecam-bench-"));
  // Programs we start may leave something where temporary files go.
  process.env.TMPDIR = folder;
  const machine = describeMachine();
  const date = new Date().toISOString().slice(0, 10);
  const results: { name: string; seconds: number; busy: string | undefined; rows: JudgedRow[] }[] = [];
  let failed = false;
  try {
    console.log(`${date}, ${machine}`);
    if (options.scale === "tiny") console.log("Sizes are tiny: the figures mean nothing.");
    const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
    const binaries =
      options.binariesDir === undefined
        ? compileOnce(join(folder, "bin"), say)
        : existingBinaries(options.binariesDir);
    for (const benchmark of options.chosen) {
      say(`${benchmark.name}: ${benchmark.summary}`);
      const context = {
        scale: options.scale,
        signal,
        say: (text: string) => say(`${benchmark.name}: ${text}`),
        binaries,
      };
      try {
        const result = await runOne(benchmark, context, folder);
        results.push(result);
        console.log(`\n${benchmark.name} (${Math.round(result.seconds)} s)\n`);
        process.stdout.write(formatTable(result.rows));
        if (result.busy !== undefined) console.log(`\nNot to be trusted: ${result.busy}.`);
      } catch (error) {
        if (signal.aborted) break;
        // The others may still be measured.
        failed = true;
        say(`${benchmark.name} failed: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (signal.aborted) return 130;
  if (options.jsonFile !== undefined) {
    const report = { date, machine, scale: options.scale, benchmarks: results };
    await Bun.write(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return failed ? 1 : 0;
}

if (import.meta.main) process.exit(await main());
