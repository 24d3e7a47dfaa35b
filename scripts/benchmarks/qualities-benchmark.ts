import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readHlsMaster, readHlsPlaylist } from "../../tests/support/hls-validator.ts";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startHub } from "./livecam-programs.ts";
import { makeSampleSegment, type SampleSegment } from "./sample-segment.ts";
import { runFfmpeg } from "./sample-video.ts";

const sizes = {
  full: { seconds: 60, rounds: 5 },
  quick: { seconds: 24, rounds: 3 },
  tiny: { seconds: 8, rounds: 1 },
};

/** One quality in one round. */
interface Round {
  /** From asking for the playlist until init segment and first part are there, in ms. */
  firstMs: number;
  /** Seconds of video per second, of all parts, and of ffmpeg alone. */
  speed: number;
  bareSpeed: number;
}

export const qualitiesBenchmark: Benchmark = {
  name: "qualities",
  summary: "1080p30 at 4 Mb/s in lower qualities, transcoded part by part while it is asked for",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { seconds, rounds } = sizes[scale];
    const [dataDir, archiveDir] = [join(scratch, "data"), join(scratch, "archive")];
    const segment = await makeSampleSegment(scratch, scale, signal, { length: seconds });
    const start = () => startHub({ hub: hubBinary, dataDir, archiveDir, signal });
    {
      await using hub = await start();
      await archiveSample(segment, archiveDir, hub);
    }
    const all = new Map<string, Round[]>();
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      // What was made in the round before is not to be had.
      await rm(join(dataDir, "cache"), { recursive: true, force: true });
      await using hub = await start();
      const { variants } = readHlsMaster(await textOf(hub, masterPathOf(segment)));
      for (const { stableId, uri, resolution } of variants.slice(1)) {
        const made = await playThrough(hub, uri, seconds);
        const bareMs = await timeOf(() => transcodeBare(segment.path, resolution, signal));
        const known = all.get(stableId) ?? [];
        all.set(stableId, [...known, { ...made, bareSpeed: (seconds * 1000) / bareMs }]);
      }
    }
    return [...all].flatMap(([quality, own]) => rowsOf(quality, own));
  },
};

function masterPathOf({ identity }: SampleSegment): string {
  const [from, to] = [identity.startTimeMs, identity.endTimeMs].map((ms) => new Date(ms).toISOString());
  return `/api/cameras/${identity.cameraId}/master.m3u8?from=${from}&to=${to}`;
}

/** As a player asks that is in no hurry and never idle: one part after the other. */
async function playThrough(hub: RunningHub, uri: string, seconds: number) {
  const startedAtMs = performance.now();
  const { parts } = readHlsPlaylist(await textOf(hub, uri));
  let firstMs: number | undefined;
  let madeMs = 0;
  for (const part of parts) {
    if (firstMs === undefined) await get(hub, part.map.uri);
    madeMs += await timeOf(() => get(hub, part.uri));
    firstMs ??= performance.now() - startedAtMs;
  }
  return { firstMs: firstMs ?? 0, speed: (seconds * 1000) / madeMs };
}

/** One ffmpeg for all of it, with the same encoder in the same settings. */
async function transcodeBare(path: string, resolution: string, signal: AbortSignal): Promise<void> {
  const encoder = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "25", "-bf", "0", "-g", "60"];
  const picture = [
    "-vf",
    `scale=${resolution.replace("x", ":")}:flags=bilinear`,
    ...encoder,
    "-threads",
    "2",
  ];
  await runFfmpeg(["-threads", "2", "-i", path, "-an", ...picture, "-f", "mp4", `${path}.bare`], signal);
}

async function textOf(hub: RunningHub, path: string): Promise<string> {
  return (await get(hub, path)).toString();
}

async function get(hub: RunningHub, path: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${hub.clientKey}` };
  const response = await fetch(hub.url + path, { headers });
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`the hub answered ${response.status}: ${body}`);
  return body;
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function rowsOf(quality: string, rounds: readonly Round[]): Row[] {
  return [
    {
      figure: `${quality}: seconds of video made in a second`,
      ours: rounds.map(({ speed }) => speed),
      unit: "s/s",
      peer: { name: "one ffmpeg for the whole file", values: rounds.map(({ bareSpeed }) => bareSpeed) },
      // Else playing would wait.
      goal: { of: "figure", is: "at_least", value: 1 },
    },
    {
      figure: `${quality}: from the click until the first part is there`,
      ours: rounds.map(({ firstMs }) => firstMs),
      unit: "ms",
    },
  ];
}
