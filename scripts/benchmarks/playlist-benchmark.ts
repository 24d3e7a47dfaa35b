import { closeSync, openSync, readSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { newUuidV7 } from "../../src/common/ids.ts";
import { scanSegmentFile } from "../../src/common/mp4/segment-scan.ts";
import { makeBigCatalog } from "../../tests/support/big-catalog.ts";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { type RunningHub, startHub } from "./livecam-programs.ts";
import type { SampleSegment } from "./sample-segment.ts";
import { runFfmpeg } from "./sample-video.ts";
import { percentile } from "./statistics.ts";

const sizes = {
  full: { otherVideos: 10_000_000, videos: 144, rounds: 7, requests: 50 },
  quick: { otherVideos: 100_000, videos: 144, rounds: 3, requests: 30 },
  tiny: { otherVideos: 1_000, videos: 3, rounds: 1, requests: 3 },
};
const segmentSeconds = 600;
const segmentMs = segmentSeconds * 1000;
const cameraId = "playlist";
const dayStartMs = Date.UTC(2025, 8, 23);
const readBytes = 64 * 1024;

type SmallSegment = Omit<SampleSegment, "spoolChecksum" | "index">;

/** One round, in ms. */
interface Times {
  cold: number;
  files: number;
  warm: number;
  bare: number;
}

export const playlistBenchmark: Benchmark = {
  name: "playlist",
  summary:
    "the HLS playlist of a day of one camera, 144 files of 600 fragments, in a catalog of ten million videos",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const { otherVideos, videos, rounds, requests } = sizes[scale];
    const [dataDir, archiveDir] = [join(scratch, "data"), join(scratch, "archive")];
    await mkdir(dataDir);
    say(`making a catalog of ${otherVideos} videos`);
    const big = { path: join(dataDir, "catalog.db"), videoCount: otherVideos, cameraCount: 20 };
    await makeBigCatalog({ ...big, endTimeMs: Date.UTC(2026, 0, 1), signal });
    const start = () => startHub({ hub: hubBinary, dataDir, archiveDir, signal });
    say("making the files of a day");
    const paths: string[] = [];
    {
      await using hub = await start();
      const segment = await makeSmallSegment(scratch, signal);
      for (let i = 0; i < videos; i++) {
        const { filePath } = await archiveSample(ofDay(segment, i), archiveDir, hub);
        paths.push(join(archiveDir, filePath));
      }
    }

    const all: Times[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      await using hub = await start();
      // The program has answered before, as a hub in use has: what is cold is the playlist.
      await timeOf(() => fetch(`${hub.url}/api/health/live`));
      const files = await timeOf(() => readHeads(paths));
      const cold = await timeOf(() => getPlaylist(hub));
      const text = await getPlaylist(hub);
      if (text.split("#EXTINF").length - 1 !== videos * 100) throw new Error("not the playlist expected");
      using bare = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(text) });
      const warmTimes: number[] = [];
      const bareTimes: number[] = [];
      for (let i = 0; i < requests; i++) {
        warmTimes.push(await timeOf(() => getPlaylist(hub)));
        bareTimes.push(await timeOf(async () => (await fetch(bare.url)).text()));
      }
      all.push({ cold, files, warm: percentile(warmTimes, 0.5), bare: percentile(bareTimes, 0.5) });
    }
    return rowsOf(all);
  },
};

/** A picture per second, which is a fragment: as many of them as in a segment of a camera, and next to no bytes. */
async function makeSmallSegment(folder: string, signal: AbortSignal): Promise<SmallSegment> {
  const path = join(folder, "small.mp4");
  await runFfmpeg(
    [
      ...["-f", "lavfi", "-i", `color=c=gray:size=64x48:rate=1:duration=${segmentSeconds}`],
      ...[
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
        "-g",
        "1",
        "-pix_fmt",
        "yuv420p",
      ],
      ...["-movflags", "+frag_keyframe+empty_moov+default_base_moof+skip_trailer", path],
    ],
    signal,
  );
  const { init, durationMs, fps } = await scanSegmentFile(path);
  return {
    path,
    sizeBytes: Bun.file(path).size,
    identity: {
      videoId: newUuidV7(dayStartMs),
      ...{ cameraId, nodeId: "bench", runId: crypto.randomUUID(), sequence: 0 },
      ...{ startTimeMs: dayStartMs, endTimeMs: dayStartMs + durationMs, timeZone: "UTC", durationMs },
      ...{ codec: init.video.codec, width: init.video.width, height: init.video.height, fps },
      recordedSha256: new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex"),
      ...{ clockState: "synced", softwareVersion: "bench" },
    },
  };
}

function ofDay(segment: SmallSegment, index: number): SmallSegment {
  const startTimeMs = dayStartMs + index * segmentMs;
  const when = { startTimeMs, endTimeMs: startTimeMs + segmentMs, sequence: index };
  return { ...segment, identity: { ...segment.identity, ...when, videoId: newUuidV7(startTimeMs) } };
}

async function getPlaylist(hub: RunningHub): Promise<string> {
  const [from, to] = [dayStartMs, dayStartMs + 86_400_000].map((ms) => new Date(ms).toISOString());
  const response = await fetch(`${hub.url}/api/cameras/${cameraId}/hls.m3u8?from=${from}&to=${to}`, {
    headers: { authorization: `Bearer ${hub.clientKey}` },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the hub answered ${response.status}: ${text}`);
  return text;
}

/** What the hub has to read of the files at least: their beginning, and that of the media. */
async function readHeads(paths: readonly string[]): Promise<void> {
  const buffer = new Uint8Array(readBytes);
  for (const path of paths) {
    const file = openSync(path, "r");
    readSync(file, buffer, 0, readBytes, 0);
    readSync(file, buffer, 0, readBytes, readBytes);
    closeSync(file);
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function rowsOf(all: readonly Times[]): Row[] {
  const values = (key: keyof Times) => all.map((times) => times[key]);
  return [
    {
      figure: "a day, first time after a start",
      ours: values("cold"),
      unit: "ms",
      peer: { name: "two reads of each file, nothing else", values: values("files") },
      goal: { of: "figure", is: "at_most", value: 100 },
      note: "14,400 parts, 1.6 MB. The files are in the page cache; on a hard disk each costs two seeks more.",
    },
    {
      figure: "a day, again: p50",
      ours: values("warm"),
      unit: "ms",
      peer: { name: "the same text from a bare Bun.serve", values: values("bare") },
      goal: { of: "figure", is: "at_most", value: 10 },
    },
  ];
}
