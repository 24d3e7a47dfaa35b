import { join } from "node:path";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startHub } from "./livecam-programs.ts";
import { watchMemory } from "./memory-watch.ts";
import { drainAnswer, drainCommand } from "./run-drain.ts";
import { formatGet } from "./run-load.ts";
import { makeSampleSegment, nthOf } from "./sample-segment.ts";

const sizes = {
  full: { rounds: 7, files: 6 },
  quick: { rounds: 3, files: 6 },
  tiny: { rounds: 1, files: 2 },
};

interface Round {
  hub: number;
  cat: number;
  ffmpeg: number;
  fragmented: number;
  firstByteMs: number;
  /** What the hub took of memory beside what it had before. */
  extraMegabytes: number;
}

export const exportBenchmark: Benchmark = {
  name: "export",
  summary: "an hour over six files as one MP4, against cat of the same bytes and ffmpeg -f concat -c copy",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { rounds, files } = sizes[scale];
    const [dataDir, archiveDir] = [join(scratch, "data"), join(scratch, "archive")];
    const start = () => startHub({ hub: hubBinary, dataDir, archiveDir, signal });
    const segment = await makeSampleSegment(scratch, scale, signal);
    const paths: string[] = [];
    {
      await using hub = await start();
      say(`archiving ${files} files of ${Math.round(segment.sizeBytes / 1e6)} MB`);
      for (let i = 0; i < files; i++) {
        const { filePath } = await archiveSample(nthOf(segment, i), archiveDir, hub);
        paths.push(join(archiveDir, filePath));
      }
    }
    const list = join(scratch, "list.txt");
    await Bun.write(list, paths.map((path) => `file '${path}'\n`).join(""));
    const { startTimeMs, durationMs } = segment.identity;
    // All but a moment at each end, another one each time: no clip is a remembered one.
    let asked = 0;
    const requestOf = (hub: RunningHub, more = "") => {
      const from = new Date(startTimeMs + 100 + asked++).toISOString();
      const to = new Date(startTimeMs + files * durationMs - 100).toISOString();
      const path = `/api/cameras/cam01/clip.mp4?from=${from}&to=${to}${more}`;
      return formatGet(path, { authorization: `Bearer ${hub.clientKey}`, connection: "close" });
    };
    const take = async (hub: RunningHub, more?: string) => {
      const result = await drainAnswer({ port: hub.port, request: requestOf(hub, more) }, signal);
      const whole = files * segment.sizeBytes * 0.95;
      if (!result.start.startsWith("HTTP/1.1 200") || result.bytes < whole) {
        throw new Error(`not the clip expected: ${result.bytes} bytes, ${result.start}`);
      }
      return result;
    };
    const speedOf = ({ bytes, seconds }: { bytes: number; seconds: number }) => bytes / 1e6 / seconds;

    const cold: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await using hub = await start();
      await fetch(`${hub.url}/api/health/live`);
      cold.push((await take(hub)).firstByteMs);
    }
    await using hub = await start();
    const all: Round[] = [];
    // Round 0 is not counted: a hub that has run for days has long been compiled to machine code.
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
      const cat = await drainCommand(`cat ${paths.join(" ")} > $OUT`, { cwd: scratch, signal });
      const watch = watchMemory(hub.pid);
      const own = await take(hub);
      const fragmented = await take(hub, "&format=fmp4");
      const extraMegabytes = await watch.stop();
      const ffmpeg = await drainCommand(
        `ffmpeg -nostdin -v error -f concat -safe 0 -i ${list} -c copy -movflags frag_keyframe+empty_moov -f mp4 - > $OUT`,
        { cwd: scratch, signal },
      );
      if (round === 0) continue;
      all.push({
        ...{ hub: speedOf(own), cat: speedOf(cat), ffmpeg: speedOf(ffmpeg), fragmented: speedOf(fragmented) },
        ...{ firstByteMs: own.firstByteMs, extraMegabytes },
      });
    }
    return rowsOf(all, cold, (files * segment.sizeBytes) / 1e6);
  },
};

function rowsOf(all: readonly Round[], cold: readonly number[], megabytes: number): Row[] {
  const values = (key: keyof Round) => all.map((round) => round[key]);
  const cat = { name: "cat to the same socket", values: values("cat") };
  const ffmpeg = { name: "ffmpeg -f concat -c copy", values: values("ffmpeg") };
  const note = `${Math.round(megabytes)} MB in the page cache; whoever sends is read without a copy (MSG_TRUNC).`;
  return [
    {
      ...{ figure: "one MP4", ours: values("hub"), unit: "MB/s", peer: cat, note },
      goal: { of: "ratio", is: "at_least", value: 0.8 },
    },
    {
      ...{ figure: "one MP4", ours: values("hub"), unit: "MB/s", peer: ffmpeg },
      goal: { of: "ratio", is: "at_least", value: 3 },
    },
    { figure: "as fragments (format=fmp4)", ours: values("fragmented"), unit: "MB/s", peer: cat },
    {
      ...{ figure: "first byte of a range not asked for before", ours: values("firstByteMs"), unit: "ms" },
      goal: { of: "figure", is: "at_most", value: 50 },
    },
    {
      ...{ figure: "first byte, first request after a start", ours: cold, unit: "ms" },
      goal: { of: "figure", is: "at_most", value: 50 },
    },
    {
      ...{
        figure: "memory beside what the hub had before, peak",
        ours: values("extraMegabytes"),
        unit: "MB",
      },
      goal: { of: "figure", is: "at_most", value: 32 },
    },
  ];
}
