import { join } from "node:path";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { startHub } from "./livecam-programs.ts";
import { startNginx } from "./nginx.ts";
import { cpuOfTree, readProcessTree } from "./process-usage.ts";
import { formatGet, runLoadClient } from "./run-load.ts";
import { makeSampleSegment } from "./sample-segment.ts";

const sizes = {
  full: { rounds: 5, durationMs: 3_000, warmUpMs: 500 },
  quick: { rounds: 3, durationMs: 1_000, warmUpMs: 300 },
  tiny: { rounds: 1, durationMs: 100, warmUpMs: 20 },
};
const kinds = [64 * 1024, 1024 * 1024, 16 * 1024 * 1024].flatMap((rangeBytes) =>
  [8, 64].map((connections) => ({ rangeBytes, connections })),
);
/** More than a player ever asks for: enough that no request meets what the last one left in a cache of the CPU. */
const positions = 500;

interface Measured {
  megabytesPerSecond: number;
  cpuSecondsPerGigabyte: number;
}

export const rangeBenchmark: Benchmark = {
  name: "range",
  summary: "ranges of an archived video streamed by the hub, against nginx",

  async run({ scale, scratch, signal, say, binaries }) {
    const { hub: hubBinary } = await binaries();
    const archiveDir = join(scratch, "archive");
    await using hub = await startHub({ hub: hubBinary, dataDir: join(scratch, "data"), archiveDir, signal });
    await using nginx = await startNginx({ root: archiveDir, scratch, workers: 1, signal });
    say("making an archived video");
    const video = await archiveSample(await makeSampleSegment(scratch, scale, signal), archiveDir, hub);
    const servers = {
      hub: {
        ...hub,
        path: `/api/videos/${video.videoId}/stream`,
        headers: { authorization: `Bearer ${hub.clientKey}` },
      },
      nginx: { ...nginx, path: `/${video.filePath}`, headers: {} },
    };

    const measure = async (
      { port, pid, path, headers }: (typeof servers)["hub" | "nginx"],
      kind: (typeof kinds)[number],
    ): Promise<Measured> => {
      const rangeBytes = Math.min(kind.rangeBytes, video.fileSizeBytes);
      const requests = Array.from({ length: positions }, () => {
        const start = Math.floor(Math.random() * (video.fileSizeBytes - rangeBytes));
        return formatGet(path, { ...headers, range: `bytes=${start}-${start + rangeBytes - 1}` });
      });
      const plan = { port, connections: kind.connections, requests, expectedStatus: 206 };
      await runLoadClient({ ...plan, durationMs: sizes[scale].warmUpMs }, signal);
      const before = cpuOfTree(await readProcessTree(pid));
      const { bodyBytes, seconds } = await runLoadClient(
        { ...plan, durationMs: sizes[scale].durationMs },
        signal,
      );
      const cpuSeconds = cpuOfTree(await readProcessTree(pid)) - before;
      return {
        megabytesPerSecond: bodyBytes / 1e6 / seconds,
        cpuSecondsPerGigabyte: cpuSeconds / (bodyBytes / 1e9),
      };
    };

    const { rounds } = sizes[scale];
    const results = kinds.map((kind) => ({ kind, ours: [] as Measured[], peers: [] as Measured[] }));
    // Round 0 is not counted: a hub that has run for days has long been compiled to machine code.
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
      for (const { kind, ours, peers } of results) {
        const peer = await measure(servers.nginx, kind);
        const own = await measure(servers.hub, kind);
        if (round === 0) continue;
        peers.push(peer);
        ours.push(own);
      }
    }
    return results.flatMap(({ kind, ours, peers }) => rowsOf(kind, ours, peers));
  },
};

function rowsOf(kind: (typeof kinds)[number], ours: readonly Measured[], peers: readonly Measured[]): Row[] {
  const kibibytes = kind.rangeBytes / 1024;
  const size = kibibytes < 1024 ? `${kibibytes} KiB` : `${kibibytes / 1024} MiB`;
  const hasGoal = kibibytes >= 1024;
  const row = (figure: string, unit: string, key: keyof Measured): Row => ({
    figure: `${size}, ${kind.connections} connections: ${figure}`,
    ours: ours.map((one) => one[key]),
    unit,
    peer: { name: "nginx, one worker, sendfile", values: peers.map((one) => one[key]) },
  });
  const note =
    "The hub checks the key, the catalog and the file for every request; nginx serves the bare file.";
  return [
    {
      ...row("throughput", "MB/s", "megabytesPerSecond"),
      ...(hasGoal && { goal: { of: "ratio", is: "at_least", value: 1 } as const }),
      note,
    },
    {
      ...row("CPU of the server", "s/GB", "cpuSecondsPerGigabyte"),
      ...(hasGoal && { goal: { of: "ratio", is: "at_most", value: 1 } as const }),
    },
  ];
}
