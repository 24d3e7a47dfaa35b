import { join } from "node:path";
import type { Benchmark, BenchmarkContext, Row } from "./benchmark.ts";
import { startHub } from "./livecam-programs.ts";
import type { MemoryUsage } from "./process-usage.ts";
import {
  type RecordingSetUp,
  type RecordingWindow,
  watchBareRecorders,
  watchEdge,
  watchFfmpegs,
} from "./recording-watch.ts";
import { makeSampleVideo } from "./sample-video.ts";
import type { GroupUsage, TreeUsage } from "./tree-monitor.ts";
import { measureUpload, type UploadCost } from "./upload-cost.ts";

/** `stress`: a window as long as a segment, with one cut and one upload in it. */
const sizes = {
  full: { rounds: 2, warmUpSeconds: 90, windowSeconds: 60, stressSeconds: 30 },
  quick: { rounds: 2, warmUpSeconds: 30, windowSeconds: 30, stressSeconds: 12 },
  tiny: { rounds: 1, warmUpSeconds: 0.5, windowSeconds: 5, stressSeconds: 2 },
};
/** The longest there is, so that none ends in a window. */
const longSegmentSeconds = 3600;
const defaultSegmentSeconds = 600;

interface Measured {
  peers: TreeUsage[][];
  /** What no program of this runtime can be below, where the camera sets the pace. */
  limits: TreeUsage[][];
  recording: TreeUsage[];
  stress: TreeUsage[];
}

export const edgeBenchmark: Benchmark = {
  name: "edge",
  summary: "CPU and memory of recording one 1080p30 camera at 4 Mb/s, against ffmpeg alone",

  async run(context) {
    await using bench = await openBench(context);
    const upload = await bench.upload();
    const measured = await bench.measure(1, { stress: true });
    return [
      ...cpuRows(measured, upload, 1),
      ...stressRows(measured, sizes[context.scale].stressSeconds),
      {
        ...memoryRow(measured.recording, "livecam-edge itself (RSS, peak)", ({ root }) => root),
        goal: most(60),
      },
      memoryRow(
        measured.recording,
        "livecam-edge itself, pages of no file (peak)",
        ({ root }) => root,
        "anonymousBytes",
      ),
      memoryRow(measured.recording, "its ffmpeg (RSS, peak)", ({ ffmpeg }) => ffmpeg),
      memoryRow(measured.stress, "its upload worker (RSS, peak, while it lives)", ({ others }) => others),
      memoryRow(
        measured.stress,
        "all processes while uploading (PSS, peak)",
        ({ total }) => total,
        "pssBytes",
      ),
    ];
  },
};

export const edge4Benchmark: Benchmark = {
  name: "edge4",
  summary: "the same for four cameras on one node, against four ffmpegs",

  async run(context) {
    await using bench = await openBench(context);
    const upload = await bench.upload();
    const measured = await bench.measure(4, { stress: false });
    return [
      ...cpuRows(measured, upload, 4),
      {
        ...memoryRow(measured.recording, "livecam-edge itself (RSS, peak)", ({ root }) => root),
        goal: most(150),
      },
      memoryRow(
        measured.recording,
        "livecam-edge itself, pages of no file (peak)",
        ({ root }) => root,
        "anonymousBytes",
      ),
      memoryRow(measured.recording, "its four ffmpegs (PSS, peak)", ({ ffmpeg }) => ffmpeg, "pssBytes"),
    ];
  },
};

const most = (value: number) => ({ of: "figure", is: "at_most", value }) as const;

async function openBench(context: BenchmarkContext) {
  const { scale, scratch, signal, say, binaries } = context;
  const { edge, hub: hubBinary } = await binaries();
  say("making the camera's video");
  const sample = await makeSampleVideo(scratch, scale, signal);
  const archiveDir = join(scratch, "archive");
  const hub = await startHub({ hub: hubBinary, dataDir: join(scratch, "data"), archiveDir, signal });
  const setUp = { context, edge, hub, archiveDir, sample };
  return {
    async upload() {
      say("the upload of one segment");
      return await measureUpload(context, setUp);
    },
    measure: (cameras: number, options: { stress: boolean }) => measure(setUp, cameras, options),
    [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
  };
}

async function measure(
  setUp: Omit<RecordingSetUp, "name">,
  cameras: number,
  { stress }: { stress: boolean },
): Promise<Measured> {
  const { scale, say } = setUp.context;
  const { rounds, warmUpSeconds, windowSeconds, stressSeconds } = sizes[scale];
  const long: RecordingWindow = { cameras, warmUpSeconds, windowSeconds, segmentSeconds: longSegmentSeconds };
  const measured: Measured = { peers: [], limits: [], recording: [], stress: [] };
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}: recording, beside ffmpeg`);
    const name = `${round}`;
    // At the same time: together they need some percent of a core, and whatever the machine does, it does to both.
    const [peers, limits, recording] = await Promise.all([
      watchFfmpegs({ ...setUp, name }, long),
      watchBareRecorders({ ...setUp, name }, long),
      watchEdge({ ...setUp, name }, long),
    ]);
    measured.peers.push(peers);
    measured.limits.push(limits);
    measured.recording.push(recording);
    if (!stress) continue;
    say(`round ${round} of ${rounds}: with an upload every ${stressSeconds} s`);
    const short = {
      cameras,
      warmUpSeconds: stressSeconds,
      windowSeconds: stressSeconds,
      segmentSeconds: stressSeconds,
    };
    measured.stress.push(await watchEdge({ ...setUp, name: `${round}-stress` }, short));
  }
  return measured;
}

type Pick = (usage: TreeUsage) => GroupUsage;

const cpu = (usages: readonly TreeUsage[], pick: Pick) =>
  usages.map((usage) => (pick(usage).cpuSeconds / usage.seconds) * 100);

const allTogether = (rounds: readonly TreeUsage[][]) =>
  rounds.map((usages) => cpu(usages, ({ total }) => total).reduce((sum, one) => sum + one, 0));

function cpuRows({ peers, limits, recording }: Measured, upload: UploadCost, cameras: number): Row[] {
  const unit = "% of a core";
  const peer = {
    name: cameras === 1 ? "ffmpeg -c copy -f segment" : `${cameras} × ffmpeg -c copy -f segment`,
    values: allTogether(peers),
  };
  const perSecond = upload.workerCpuSeconds / upload.seconds;
  const all = cpu(recording, ({ total }) => total);
  const itself = cpu(recording, ({ root }) => root);
  const megabytes = (upload.sizeBytes / 1e6).toFixed(0);
  return [
    {
      figure: `CPU, all processes, with an upload every ${defaultSegmentSeconds} s`,
      ours: all.map((value) => value + perSecond * 100 * cameras),
      ...{ unit, peer, goal: { of: "ratio", is: "at_most", value: 1.2 } },
      note:
        `Recording, and the upload of a segment of ${upload.seconds.toFixed(0)} s (${megabytes} MB), each measured by ` +
        "itself and added up; ffmpeg uploads nothing.",
    },
    { figure: "CPU of recording, all processes", ours: all, unit, peer },
    { figure: "CPU of recording, livecam-edge itself", ours: itself, unit, peer },
    {
      figure: "CPU of recording, its ffmpeg",
      ours: cpu(recording, ({ ffmpeg }) => ffmpeg),
      ...{ unit, peer },
      note: "livecam's ffmpeg waits for its reader, which sets the pace; the peer's sleeps a hundred times a second.",
    },
    {
      figure: "the same if a camera set the pace: livecam-edge itself, and ffmpeg as the peer",
      ours: itself.map((value, round) => value + (peer.values[round] ?? Number.NaN)),
      ...{ unit, peer },
    },
    {
      figure: "the limit of that: a bare recorder of this runtime, all processes",
      ...{ ours: allTogether(limits), unit, peer },
      note: "The bare recorder reads the pipe of an ffmpeg that sets the pace, hashes, writes and syncs, and does nothing else.",
    },
    { figure: `CPU of one upload of ${megabytes} MB`, ours: [upload.workerCpuSeconds], unit: "s" },
  ];
}

function stressRows({ peers, stress }: Measured, stressSeconds: number): Row[] {
  const peer = { name: "ffmpeg -c copy -f segment", values: allTogether(peers) };
  const figure = `with a cut and an upload every ${stressSeconds} s`;
  return [
    {
      figure: `CPU, all processes, ${figure}`,
      ours: cpu(stress, ({ total }) => total),
      unit: "% of a core",
      peer,
    },
    {
      figure: `CPU, upload workers, ${figure}`,
      ours: cpu(stress, ({ others }) => others),
      unit: "% of a core",
    },
  ];
}

function memoryRow(
  usages: readonly TreeUsage[],
  figure: string,
  pick: Pick,
  key: keyof MemoryUsage = "rssBytes",
): Row {
  return {
    figure: `memory, ${figure}`,
    ours: usages.map((usage) => pick(usage).peak[key] / 1e6),
    unit: "MB",
  };
}
