import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { sleep } from "../../src/common/clock.ts";
import { type ArchivedSample, archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startHub } from "./livecam-programs.ts";
import { watchMemory } from "./memory-watch.ts";
import { startNginx } from "./nginx.ts";
import { cpuOfTree, readMemory, readProcessTree } from "./process-usage.ts";
import { formatGet } from "./run-load.ts";
import { makeSampleSegment, nthOf } from "./sample-segment.ts";
import { percentile } from "./statistics.ts";
import type { ViewerPlan, ViewerResult } from "./viewer-client.ts";

/** `settleMs`: how long what was left may take to be gone. */
const sizes = {
  full: {
    viewers: 200,
    seconds: 40,
    videoSeconds: 30,
    rounds: 2,
    aborts: 600,
    slowReaders: 60,
    settleMs: 15_000,
  },
  quick: {
    viewers: 200,
    seconds: 15,
    videoSeconds: 12,
    rounds: 1,
    aborts: 600,
    slowReaders: 60,
    settleMs: 15_000,
  },
  tiny: { viewers: 3, seconds: 1, videoSeconds: 6, rounds: 1, aborts: 10, slowReaders: 3, settleMs: 1_000 },
};
const partSeconds = 6;

interface Measured {
  stalls: number;
  latencyMs: number;
  cpuPercent: number;
  extraMegabytes: number;
}

export const viewersBenchmark: Benchmark = {
  name: "viewers",
  summary: "200 viewers of different videos at 4 Mb/s, against nginx; then slow readers and those who leave",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const size = sizes[scale];
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({ hub: hubBinary, dataDir: join(scratch, "data"), archiveDir, signal });
    await using nginx = await startNginx({ root: archiveDir, scratch, workers: 1, signal });
    say(`making ${size.viewers} videos of ${size.videoSeconds} s`);
    const segment = await makeSampleSegment(scratch, scale, signal, { length: size.videoSeconds });
    const videos: ArchivedSample[] = [];
    for (let i = 0; i < size.viewers; i++)
      videos.push(await archiveSample(nthOf(segment, i), archiveDir, hub));

    const authorization = `Bearer ${hub.clientKey}`;
    const partsOf = ({ fileSizeBytes }: ArchivedSample, path: string, headers: Record<string, string>) => {
      const count = Math.max(1, Math.round(size.videoSeconds / partSeconds));
      return Array.from({ length: count }, (_, i) => {
        const at = (n: number) => Math.floor((fileSizeBytes * n) / count);
        return formatGet(path, { ...headers, range: `bytes=${at(i)}-${at(i + 1) - 1}` });
      });
    };
    const watch = async (pid: number, plan: Pick<ViewerPlan, "port" | "viewers">): Promise<Measured> => {
      const memory = watchMemory(pid);
      const before = cpuOfTree(await readProcessTree(pid));
      const startedAtMs = performance.now();
      const result = await runViewerClient({ ...plan, partSeconds, seconds: size.seconds }, signal);
      const seconds = (performance.now() - startedAtMs) / 1000;
      const cpuSeconds = cpuOfTree(await readProcessTree(pid)) - before;
      return {
        stalls: result.stalls,
        latencyMs: percentile(result.latenciesMs, 0.99),
        cpuPercent: (100 * cpuSeconds) / seconds,
        extraMegabytes: await memory.stop(),
      };
    };
    const ours: Measured[] = [];
    const peers: Measured[] = [];
    for (let round = 1; round <= size.rounds; round++) {
      say(`round ${round} of ${size.rounds}: ${size.viewers} viewers`);
      const viewers = videos.map((video) =>
        partsOf(video, `/api/videos/${video.videoId}/stream`, { authorization }),
      );
      ours.push(await watch(hub.pid, { port: hub.port, viewers }));
      peers.push(
        await watch(nginx.pid, {
          port: nginx.port,
          viewers: videos.map((video) => partsOf(video, `/${video.filePath}`, {})),
        }),
      );
    }

    say(`${size.slowReaders} slow readers and ${size.aborts} who leave`);
    const range = `from=${new Date(segment.identity.startTimeMs).toISOString()}&to=${new Date(segment.identity.startTimeMs + 3_600_000).toISOString()}`;
    const requests = videos.flatMap(({ videoId }) => [
      formatGet(`/api/videos/${videoId}/stream`, { authorization }),
      formatGet(`/api/cameras/cam01/clip.mp4?${range}`, { authorization }),
    ]);
    return [...viewerRows(ours, peers), ...(await leave(hub, requests, size, signal))];
  },
};

async function runViewerClient(plan: ViewerPlan, signal: AbortSignal): Promise<ViewerResult> {
  const exit = await runChild({
    argv: [process.execPath, join(import.meta.dir, "viewer-client.ts")],
    stdin: new TextEncoder().encode(JSON.stringify(plan)),
    timeoutMs: (plan.seconds + 60) * 1000,
    signal,
  });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`the viewers failed: ${exit.stderrTail.trim()}`);
  return JSON.parse(new TextDecoder().decode(exit.stdout)) as ViewerResult;
}

/** What is left of descriptors and memory when all who read slowly, or left in the middle, are gone. */
async function leave(
  { pid, port }: RunningHub,
  requests: readonly string[],
  { slowReaders, aborts, settleMs }: { slowReaders: number; aborts: number; settleMs: number },
  signal: AbortSignal,
): Promise<Row[]> {
  const descriptors = async () => (await readdir(`/proc/${pid}/fd`)).length;
  const megabytes = async () => ((await readMemory(pid))?.anonymousBytes ?? 0) / 1e6;
  // Once before, so that what the hub needs to do it at all is there.
  await leaveOnce(port, requests, { slowReaders: 2, aborts: 50 });
  await sleep(2_000, signal);
  const before = { descriptors: await descriptors(), megabytes: await megabytes() };
  const peak = await leaveOnce(port, requests, { slowReaders, aborts }, megabytes);
  const left = { descriptors: Number.POSITIVE_INFINITY, megabytes: Number.POSITIVE_INFINITY };
  for (const deadline = performance.now() + settleMs; performance.now() < deadline; ) {
    await sleep(500, signal);
    left.descriptors = Math.min(left.descriptors, (await descriptors()) - before.descriptors);
    left.megabytes = Math.min(left.megabytes, (await megabytes()) - before.megabytes);
  }
  const who = `${slowReaders} slow readers and ${aborts} who left`;
  const goal = (value: number) => ({ of: "figure", is: "at_most", value }) as const;
  return [
    { figure: `memory beside what it had before, ${who}`, ours: [peak - before.megabytes], unit: "MB" },
    { figure: `memory that is left of them`, ours: [left.megabytes], unit: "MB", goal: goal(16) },
    { figure: `descriptors that are left of them`, ours: [left.descriptors], unit: "", goal: goal(0) },
  ];
}

/** Resolves with what `measure` said while the slow ones were there. */
async function leaveOnce(
  port: number,
  requests: readonly string[],
  { slowReaders, aborts }: { slowReaders: number; aborts: number },
  measure: () => Promise<number> = async () => 0,
): Promise<number> {
  const open = (i: number) =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(requests[i % requests.length]!));
      socket.once("data", () => {
        socket.pause();
        resolve(socket);
      });
      socket.on("error", reject);
    });
  const slow = await Promise.all(Array.from({ length: slowReaders }, (_, i) => open(i)));
  const takeSome = setInterval(() => {
    for (const socket of slow) socket.once("data", () => socket.pause()).resume();
  }, 200);
  for (let i = 0; i < aborts; i += 20) {
    const leaving = await Promise.all(Array.from({ length: 20 }, (_, n) => open(i + n)));
    for (const socket of leaving) socket.destroy();
  }
  const measured = await measure();
  clearInterval(takeSome);
  for (const socket of slow) socket.destroy();
  return measured;
}

function viewerRows(ours: readonly Measured[], peers: readonly Measured[]): Row[] {
  const row = (figure: string, key: keyof Measured, unit: string, most?: number): Row => ({
    ...{ figure, ours: ours.map((one) => one[key]), unit },
    peer: { name: "nginx, one worker, sendfile", values: peers.map((one) => one[key]) },
    ...(most !== undefined && { goal: { of: "figure", is: "at_most", value: most } as const }),
  });
  return [
    {
      ...row("viewers that had nothing to show", "stalls", "", 0),
      note: `Each takes a part of ${partSeconds} s at a time, two ahead.`,
    },
    row("a part of 6 s: p99", "latencyMs", "ms"),
    row("CPU of the server", "cpuPercent", "% of a core", 100),
    row("memory beside what it had before, peak", "extraMegabytes", "MB", 32),
  ];
}
