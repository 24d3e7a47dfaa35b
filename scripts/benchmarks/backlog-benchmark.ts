import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import { type Backlog, makeBacklog } from "./backlog.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startEdge, startHub } from "./livecam-programs.ts";
import { cpuOfTree, readMemory, readProcessTree } from "./process-usage.ts";
import { makeSampleSegment } from "./sample-segment.ts";
import { copySynced } from "./synced-copy.ts";

/** A day of segments of ten minutes; real ones have 300 MB at 4 Mb/s, which no temporary folder has room for. */
const sizes = {
  full: { rounds: 3, cameras: 2, perCamera: 144, seconds: 60 },
  quick: { rounds: 3, cameras: 1, perCamera: 144, seconds: 16 },
  tiny: { rounds: 1, cameras: 1, perCamera: 6, seconds: 4 },
};
const everyMs = 600_000;
const pollMs = 25;

interface Delivery {
  archivedSeconds: number;
  acknowledgedSeconds: number;
  cpuSeconds: number;
  peakRssBytes: number;
}

export const backlogBenchmark: Benchmark = {
  name: "backlog",
  summary:
    "what waits after an outage of 24 hours, to the archive and the hub, against cp and fsync of each file",

  async run({ scale, scratch, signal, say, binaries }) {
    const programs = await binaries();
    const { rounds, cameras, perCamera, seconds } = sizes[scale];
    say("making the segments");
    const segment = await makeSampleSegment(scratch, scale, signal, { length: seconds });
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({
      ...{ hub: programs.hub, dataDir: join(scratch, "data") },
      ...{ archiveDir, signal },
    });
    const peers: number[] = [];
    const ours: Delivery[] = [];
    let backlog: Backlog | undefined;
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      const folder = join(scratch, `edge${round}`);
      backlog = await makeBacklog({
        spool: join(folder, "spool"),
        segment,
        cameraIds: Array.from({ length: cameras }, (_, i) => `cam0${i + 1}`),
        segmentsPerCamera: perCamera,
        everyMs,
        startTimeMs: Date.UTC(2025, 8, round),
      });
      await forget(backlog.paths, signal);
      peers.push(await copyAll(backlog.paths, join(scratch, "copies"), signal));
      await forget(backlog.paths, signal);
      ours.push(await deliver({ edge: programs.edge, folder, hub, archiveDir, backlog, signal }));
      await rm(folder, { recursive: true });
      for (const name of await readdir(archiveDir))
        if (name.startsWith("cam")) await rm(join(archiveDir, name), { recursive: true });
    }
    return rowsOf(backlog, ours, peers);
  },
};

/** As after a day, when no page of them is in memory any more. */
async function forget(paths: readonly string[], signal: AbortSignal): Promise<void> {
  const commands = [
    ["sync"],
    ...paths.map((path) => ["dd", `if=${path}`, "iflag=nocache", "count=0", "status=none"]),
  ];
  for (const argv of commands) {
    const exit = await runChild({ argv, timeoutMs: 300_000, signal });
    signal.throwIfAborted();
    if (exit.exitCode !== 0) throw new Error(`${argv.join(" ")} failed: ${exit.stderrTail.trim()}`);
  }
}

async function copyAll(paths: readonly string[], folder: string, signal: AbortSignal): Promise<number> {
  await mkdir(folder);
  let seconds = 0;
  for (const [i, path] of paths.entries())
    seconds += await copySynced(path, join(folder, `${i}.mp4`), signal);
  await rm(folder, { recursive: true });
  return seconds;
}

/** From the start of the edge until nothing waits, neither for the archive nor for the hub. */
async function deliver(options: {
  edge: string;
  folder: string;
  hub: RunningHub;
  archiveDir: string;
  backlog: Backlog;
  signal: AbortSignal;
}): Promise<Delivery> {
  const { folder, hub, archiveDir, backlog, signal } = options;
  const spool = join(folder, "spool");
  const startedAtMs = performance.now();
  const elapsed = () => (performance.now() - startedAtMs) / 1000;
  await using edge = await startEdge({
    ...{ edge: options.edge, folder, hubUrl: hub.url, nodeKey: hub.nodeKey, archiveDir, signal },
    segmentSeconds: 3600,
    // As little as there can be: what it costs to record is another benchmark.
    cameras: [{ id: "cam99", source: { type: "test", width: 160, height: 120, fps: 1, bitrate: 50_000 } }],
  });
  let archivedSeconds = 0;
  let peakRssBytes = 0;
  const waiting = new Set(backlog.videoIds);
  for (;;) {
    signal.throwIfAborted();
    const left = async (state: string) =>
      (await readdir(join(spool, state))).filter((name) => waiting.has(name.slice(-36))).length;
    if (archivedSeconds === 0 && (await left("closed")) === 0) archivedSeconds = elapsed();
    if (archivedSeconds > 0 && (await left("archived")) === 0) break;
    peakRssBytes = Math.max(peakRssBytes, (await readMemory(edge.pid))?.rssBytes ?? 0);
    await sleep(pollMs, signal);
  }
  const cpuSeconds = cpuOfTree(await readProcessTree(edge.pid));
  return { archivedSeconds, acknowledgedSeconds: elapsed(), cpuSeconds, peakRssBytes };
}

function rowsOf(backlog: Backlog | undefined, ours: readonly Delivery[], peers: readonly number[]): Row[] {
  const { sizeBytes = Number.NaN, paths = [] } = backlog ?? {};
  const megabytesPerSecond = (seconds: number) => sizeBytes / 1e6 / seconds;
  const peer = { name: "cp and fsync, one by one", values: peers.map(megabytesPerSecond) };
  const size = `${paths.length} segments of ${(sizeBytes / paths.length / 1e6).toFixed(1)} MB`;
  return [
    {
      figure: "from the start of the edge until all is in the archive",
      ours: ours.map(({ archivedSeconds }) => megabytesPerSecond(archivedSeconds)),
      ...{ unit: "MB/s", peer, goal: { of: "ratio", is: "at_least", value: 0.9 } },
      note: `${size}, not in the page cache; real ones are larger, so what each costs beside its bytes weighs more here.`,
    },
    {
      figure: "until the hub has acknowledged all of it",
      ours: ours.map(({ acknowledgedSeconds }) => megabytesPerSecond(acknowledgedSeconds)),
      ...{ unit: "MB/s", peer },
    },
    {
      figure: "CPU of all processes of the edge",
      ours: ours.map(({ cpuSeconds }) => cpuSeconds / (sizeBytes / 1e9)),
      unit: "s/GB",
    },
    {
      figure: "memory, livecam-edge itself (RSS, peak)",
      ours: ours.map(({ peakRssBytes }) => peakRssBytes / 1e6),
      unit: "MB",
    },
  ];
}
