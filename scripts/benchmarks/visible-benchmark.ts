import { watch } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { sleep } from "../../src/common/clock.ts";
import { WireTime } from "../../src/common/protocol/wire.ts";
import type { Benchmark } from "./benchmark.ts";
import { type RunningHub, startEdge, startHub } from "./livecam-programs.ts";
import { makeSampleVideo } from "./sample-video.ts";
import { percentile } from "./statistics.ts";
import { copySynced } from "./synced-copy.ts";

const sizes = {
  full: { segmentSeconds: 10, videos: 24 },
  quick: { segmentSeconds: 10, videos: 6 },
  tiny: { segmentSeconds: 2, videos: 2 },
};
const pollMs = 10;

const ListedVideo = v.object({ video_id: v.string(), file_path: v.string(), end_time: WireTime });
const VideoList = v.object({ videos: v.array(ListedVideo) });

interface Visible {
  sinceEndMs: number;
  sinceCloseMs: number;
  copyMs: number;
}

export const visibleBenchmark: Benchmark = {
  name: "visible",
  summary: "from the close of a segment on the edge to listed and playable on the hub, two cameras",

  async run({ scale, scratch, signal, say, binaries }) {
    const { edge: edgeBinary, hub: hubBinary } = await binaries();
    const { segmentSeconds, videos: wanted } = sizes[scale];
    say("making the cameras' video");
    const sample = await makeSampleVideo(scratch, scale, signal);
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({ hub: hubBinary, dataDir: join(scratch, "data"), archiveDir, signal });
    await using edge = await startEdge({
      edge: edgeBinary,
      folder: join(scratch, "edge"),
      hubUrl: hub.url,
      nodeKey: hub.nodeKey,
      archiveDir,
      segmentSeconds,
      cameras: ["cam01", "cam02"].map((id) => ({ id, source: { type: "file", path: sample } })),
      signal,
    });

    // Closing a segment is one rename into this folder, under a name that ends with the video's id.
    const closedAtMs = new Map<string, number>();
    const watcher = watch(join(edge.spool, "closed"), (_event, name) => {
      const id = name?.slice(-36) ?? "";
      if (!closedAtMs.has(id)) closedAtMs.set(id, Date.now());
    });
    await using _watching = { [Symbol.asyncDispose]: async () => watcher.close() };

    const seen = new Set<string>();
    const uncopied: { path: string; sinceEndMs: number; sinceCloseMs: number }[] = [];
    const visible: Visible[] = [];
    while (visible.length < wanted) {
      signal.throwIfAborted();
      for (const video of await listNewest(hub, signal)) {
        if (seen.has(video.video_id)) continue;
        await readStart(hub, video.video_id, signal);
        const nowMs = Date.now();
        seen.add(video.video_id);
        const closed = closedAtMs.get(video.video_id);
        if (closed === undefined) throw new Error(`nobody saw ${video.file_path} being closed`);
        const sinceCloseMs = nowMs - closed;
        uncopied.push({
          path: join(archiveDir, video.file_path),
          sinceEndMs: nowMs - video.end_time,
          sinceCloseMs,
        });
        say(`${seen.size} of ${wanted} videos: ${sinceCloseMs} ms after the close`);
      }
      // Not while another one is on its way: the copy would slow it down.
      if (closedAtMs.size === seen.size) {
        for (const { path, ...times } of uncopied.splice(0)) {
          const copy = join(scratch, "copy.mp4");
          visible.push({ ...times, copyMs: (await copySynced(path, copy, signal)) * 1000 });
          await rm(copy);
        }
      }
      await sleep(pollMs, signal);
    }
    return rowsOf(visible);
  },
};

async function listNewest(hub: RunningHub, signal: AbortSignal) {
  const response = await fetch(`${hub.url}/api/videos?limit=10`, { headers: authorization(hub), signal });
  return v.parse(VideoList, await response.json()).videos;
}

async function readStart(hub: RunningHub, videoId: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${hub.url}/api/videos/${videoId}/stream`, {
    headers: { ...authorization(hub), range: "bytes=0-65535" },
    signal,
  });
  const body = await response.bytes();
  if (response.status !== 206 || body.length === 0)
    throw new Error(`not playable: ${response.status} ${new TextDecoder().decode(body)}`);
}

const authorization = (hub: RunningHub) => ({ authorization: `Bearer ${hub.clientKey}` });

function rowsOf(visible: readonly Visible[]) {
  const copies = visible.map(({ copyMs }) => copyMs);
  const shares = [
    ["p50", 0.5],
    ["p95", 0.95],
    ["max", 1],
  ] as const;
  return (["sinceCloseMs", "sinceEndMs"] as const).flatMap((key) =>
    shares.map(([name, share]) => ({
      figure: `${key === "sinceCloseMs" ? "close" : "last frame"} of a segment to playable, ${name}`,
      ours: [
        percentile(
          visible.map((one) => one[key]),
          share,
        ),
      ],
      unit: "ms",
      peer: { name: "cp and fsync of the same file", values: [percentile(copies, share)] },
      goal: { of: "figure", is: "at_most", value: 1000 } as const,
      note: `Of ${visible.length} segments; both cameras close theirs at the same instant, one is uploaded after the other.`,
    })),
  );
}
