import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sleep } from "../../src/common/clock.ts";
import type { Benchmark, BenchmarkContext, Row } from "./benchmark.ts";
import { type RunningHub, startEdge, startHub } from "./livecam-programs.ts";
import type { MemoryUsage } from "./process-usage.ts";
import { makeSampleVideo } from "./sample-video.ts";
import { startServer } from "./server-process.ts";
import { type GroupUsage, type TreeUsage, watchTree } from "./tree-monitor.ts";

/** The window is one segment long, so it has one cut and one upload in it. */
const sizes = {
  full: { rounds: 3, segmentSeconds: 60, warmUpSeconds: 5 },
  quick: { rounds: 2, segmentSeconds: 12, warmUpSeconds: 3 },
  tiny: { rounds: 1, segmentSeconds: 2, warmUpSeconds: 0.5 },
};

export const edgeBenchmark: Benchmark = {
  name: "edge",
  summary: "CPU and memory of recording one 1080p30 camera at 4 Mb/s, against ffmpeg alone",

  async run(context) {
    const { scale, scratch, signal, say, binaries } = context;
    const { edge, hub: hubBinary } = await binaries();
    say("making the camera's video");
    const sample = await makeSampleVideo(scratch, scale, signal);
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({
      hub: hubBinary,
      dataDir: join(scratch, "data"),
      archiveDir,
      signal,
    });

    const { rounds } = sizes[scale];
    const peers: TreeUsage[] = [];
    const ours: TreeUsage[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}: ffmpeg`);
      peers.push(await watchFfmpeg(context, sample, round));
      say(`round ${round} of ${rounds}: livecam-edge`);
      ours.push(await watchEdge(context, { edge, sample, hub, archiveDir, round }));
    }
    return rowsOf(ours, peers, sizes[scale].segmentSeconds);
  },
};

async function watchFfmpeg({ scale, scratch, signal }: BenchmarkContext, sample: string, round: number) {
  const { segmentSeconds, warmUpSeconds } = sizes[scale];
  const folder = join(scratch, `ffmpeg-${round}`);
  await mkdir(folder);
  await using ffmpeg = await startServer({
    argv: ["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error"]
      .concat(["-re", "-stream_loop", "-1", "-i", sample, "-c", "copy"])
      .concat(["-f", "segment", "-segment_time", `${segmentSeconds}`, "-segment_atclocktime", "1"])
      .concat(["-reset_timestamps", "1", join(folder, "%05d.mp4")]),
    signal,
    isReady: () => Bun.file(join(folder, "00000.mp4")).exists(),
  });
  await awaitWindow(segmentSeconds, warmUpSeconds, signal);
  return await watchTree(ffmpeg.pid, segmentSeconds, signal);
}

async function watchEdge(
  { scale, scratch, signal }: BenchmarkContext,
  setUp: { edge: string; sample: string; hub: RunningHub; archiveDir: string; round: number },
) {
  const { segmentSeconds, warmUpSeconds } = sizes[scale];
  await using edge = await startEdge({
    edge: setUp.edge,
    folder: join(scratch, `edge-${setUp.round}`),
    hubUrl: setUp.hub.url,
    nodeKey: setUp.hub.nodeKey,
    archiveDir: setUp.archiveDir,
    segmentSeconds,
    cameras: [{ id: "cam01", source: { type: "file", path: setUp.sample } }],
    signal,
  });
  // Past a first cut, so that the segment in the window is a whole one, and what starts a program is over.
  await sleep(segmentSeconds * 1000, signal);
  await awaitWindow(segmentSeconds, warmUpSeconds, signal);
  return await watchTree(edge.pid, segmentSeconds, signal);
}

const wallSeconds = () => Date.now() / 1000;

/** Waits until the last cut, and the upload after it, are so long ago that they do not fall into the window. */
async function awaitWindow(segmentSeconds: number, warmUpSeconds: number, signal: AbortSignal) {
  await sleep(warmUpSeconds * 1000, signal);
  const sinceCut = wallSeconds() % segmentSeconds;
  const quiet = segmentSeconds / 3;
  if (sinceCut < quiet) await sleep((quiet - sinceCut) * 1000, signal);
}

function rowsOf(ours: readonly TreeUsage[], peers: readonly TreeUsage[], segmentSeconds: number): Row[] {
  type Pick = (usage: TreeUsage) => GroupUsage;
  const cpu = (usages: readonly TreeUsage[], pick: Pick) =>
    usages.map((usage) => (pick(usage).cpuSeconds / usage.seconds) * 100);
  const megabytes = (usages: readonly TreeUsage[], pick: Pick, key: keyof MemoryUsage) =>
    usages.map((usage) => pick(usage).peak[key] / 1e6);
  const name = "ffmpeg -c copy -f segment";
  const peerCpu = { name, values: cpu(peers, ({ total }) => total) };
  const peerMemory = { name, values: megabytes(peers, ({ total }) => total, "rssBytes") };
  const cpuRow = (figure: string, pick: Pick): Row => ({
    figure: `CPU, ${figure}`,
    ours: cpu(ours, pick),
    unit: "% of a core",
    peer: peerCpu,
  });
  const memoryRow = (figure: string, pick: Pick, key: keyof MemoryUsage = "rssBytes"): Row => ({
    figure: `memory, ${figure}`,
    ours: megabytes(ours, pick, key),
    unit: "MB",
  });
  return [
    {
      ...cpuRow("all processes", ({ total }) => total),
      goal: { of: "ratio", is: "at_most", value: 1.2 },
      note:
        `One cut and one upload of ${segmentSeconds} s of video in each window; the upload's CPU is in it, which ` +
        "ffmpeg alone does not do. Each upload starts a worker, so with the default of 600 s it costs less.",
    },
    cpuRow("livecam-edge itself", ({ root }) => root),
    cpuRow("its ffmpeg", ({ ffmpeg }) => ffmpeg),
    cpuRow("its upload worker", ({ others }) => others),
    {
      ...memoryRow("livecam-edge itself (RSS, peak)", ({ root }) => root),
      goal: { of: "figure", is: "at_most", value: 60 },
    },
    memoryRow("livecam-edge itself, pages of no file (peak)", ({ root }) => root, "anonymousBytes"),
    { ...memoryRow("its ffmpeg (RSS, peak)", ({ ffmpeg }) => ffmpeg), peer: peerMemory },
    memoryRow("its upload worker (RSS, peak, while it lives)", ({ others }) => others),
    memoryRow("all processes (PSS, peak)", ({ total }) => total, "pssBytes"),
  ];
}
