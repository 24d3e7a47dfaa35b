import { rm } from "node:fs/promises";
import { join } from "node:path";
import { picturePathOf } from "../../src/common/archive-path.ts";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startHub } from "./livecam-programs.ts";
import { cpuOfTree, readProcessTree } from "./process-usage.ts";
import { makeSampleSegment } from "./sample-segment.ts";
import { runFfmpeg } from "./sample-video.ts";
import { percentile } from "./statistics.ts";

const sizes = {
  full: { rounds: 5, thumbnails: 20 },
  quick: { rounds: 3, thumbnails: 10 },
  tiny: { rounds: 1, thumbnails: 2 },
};

/** One round. */
interface Usage {
  ms: number;
  cpuSeconds: number;
}

export const picturesBenchmark: Benchmark = {
  name: "pictures",
  summary: "thumbnails and previews of a segment of ten minutes, 1080p30 at 4 Mb/s, against bare ffmpeg",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { rounds, thumbnails } = sizes[scale];
    say("making a segment");
    const segment = await makeSampleSegment(scratch, scale, signal);
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({ hub: hubBinary, dataDir: join(scratch, "data"), archiveDir, signal });
    const { videoId, filePath } = await archiveSample(segment, archiveDir, hub);
    const path = join(archiveDir, filePath);
    const hours = segment.identity.durationMs / 3_600_000;

    const forget = (kind: "thumbnail" | "previews") =>
      rm(join(archiveDir, picturePathOf(kind, filePath)), { force: true });
    const thumbnailOfHub = async () => {
      await forget("thumbnail");
      return timeOf(() => get(hub, `/api/videos/${videoId}/thumbnail`));
    };
    const bareThumbnail = () =>
      timeOf(() => runFfmpeg([...bareInput(path), ...bareThumbnailOutput(scratch)], signal));

    const times: { ours: number; bare: number }[] = [];
    const previews: { ours: Usage; bare: Usage }[] = [];
    for (let round = 0; round <= rounds; round++) {
      if (round > 0) say(`round ${round} of ${rounds}`);
      const ours: number[] = [];
      const bare: number[] = [];
      for (let i = 0; i < thumbnails; i++) {
        ours.push(await thumbnailOfHub());
        bare.push(await bareThumbnail());
      }
      await forget("previews");
      const usage = {
        ours: await usageOf(hub.pid, () => get(hub, `/api/videos/${videoId}/previews.jpg`)),
        bare: await usageOf(process.pid, () =>
          runFfmpeg([...bareInput(path), ...barePreviewsOutput(scratch)], signal),
        ),
      };
      // The first warms up both.
      if (round === 0) continue;
      times.push({ ours: percentile(ours, 0.5), bare: percentile(bare, 0.5) });
      previews.push(usage);
    }
    return rowsOf(times, previews, hours);
  },
};

/** The least that ffmpeg can be asked to do with a whole file. */
function bareInput(path: string): string[] {
  return ["-threads", "1", "-skip_frame", "nokey", "-i", path, "-an"];
}

function bareThumbnailOutput(folder: string): string[] {
  return ["-frames:v", "1", "-vf", "scale=320:-2", "-q:v", "4", "-threads", "1", join(folder, "bare.jpg")];
}

function barePreviewsOutput(folder: string): string[] {
  const filters = "fps=1/10,scale=160:-2,tile=10x6";
  return ["-frames:v", "1", "-vf", filters, "-q:v", "5", "-threads", "1", join(folder, "bare-previews.jpg")];
}

async function get(hub: RunningHub, path: string): Promise<void> {
  const response = await fetch(hub.url + path, { headers: { authorization: `Bearer ${hub.clientKey}` } });
  const bytes = await response.bytes();
  if (response.status !== 200) {
    throw new Error(`the hub answered ${response.status}: ${new TextDecoder().decode(bytes)}`);
  }
}

async function usageOf(pid: number, work: () => Promise<unknown>): Promise<Usage> {
  const cpu = async () => cpuOfTree(await readProcessTree(pid));
  const before = await cpu();
  const ms = await timeOf(work);
  return { ms, cpuSeconds: (await cpu()) - before };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function rowsOf(
  times: readonly { ours: number; bare: number }[],
  previews: readonly { ours: Usage; bare: Usage }[],
  hours: number,
): Row[] {
  const whole = "bare ffmpeg, keyframes of the whole file";
  return [
    {
      figure: "a thumbnail: p50",
      ours: times.map(({ ours }) => ours),
      unit: "ms",
      peer: { name: "bare ffmpeg, first keyframe", values: times.map(({ bare }) => bare) },
      goal: { of: "ratio", is: "at_most", value: 1.2 },
    },
    {
      figure: "previews of the segment",
      ours: previews.map(({ ours }) => ours.ms),
      unit: "ms",
      peer: { name: whole, values: previews.map(({ bare }) => bare.ms) },
    },
    {
      figure: "previews: CPU per hour of video",
      ours: previews.map(({ ours }) => ours.cpuSeconds / hours),
      unit: "s",
      peer: { name: whole, values: previews.map(({ bare }) => bare.cpuSeconds / hours) },
      goal: { of: "figure", is: "at_most", value: 36 },
      note: "36 s would be 1 % of real time. Hub and ffmpeg together; ffmpeg runs at the lowest priority.",
    },
  ];
}
