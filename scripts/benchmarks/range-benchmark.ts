import { join } from "node:path";
import { archiveSample } from "./archive-sample.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { compileProgram } from "./compile-program.ts";
import { startHub } from "./livecam-programs.ts";
import { startNginx } from "./nginx.ts";
import { cpuOfTree, readProcessTree } from "./process-usage.ts";
import { formatGet, runLoadClient } from "./run-load.ts";
import { makeSampleSegment } from "./sample-segment.ts";
import { findFreePort, startServer } from "./server-process.ts";

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

/** What no server of this runtime can be quicker than: it checks nothing and knows one file. */
const bareServer = `
const [port, path] = process.argv.slice(2);
const total = Bun.file(path).size;
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  development: false,
  fetch(request) {
    const [, first, last] = /^bytes=(\\d+)-(\\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
    if (first === undefined) return new Response("ok");
    return new Response(Bun.file(path).slice(Number(first), Number(last) + 1), {
      status: 206,
      headers: {
        "Content-Type": "video/mp4",
        "Content-Length": String(Number(last) + 1 - Number(first)),
        "Content-Range": \`bytes \${first}-\${last}/\${total}\`,
      },
    });
  },
});
`;
const names = ["hub", "workers", "nginx", "bare"] as const;
type Name = (typeof names)[number];

interface Target {
  port: number;
  pid: number;
  path: string;
  headers: Record<string, string>;
}

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
    const inWorkers = join(scratch, "workers");
    await using workers = await startHub({
      ...{ hub: hubBinary, dataDir: inWorkers, archiveDir, signal, archiveAccess: "workers" },
    });
    await using nginx = await startNginx({ root: archiveDir, scratch, workers: 1, signal });
    say("making an archived video");
    const segment = await makeSampleSegment(scratch, scale, signal);
    const video = await archiveSample(segment, archiveDir, hub);
    await archiveSample(segment, archiveDir, workers);
    await using bare = await startBareServer({ file: join(archiveDir, video.filePath), scratch, signal });
    const path = `/api/videos/${video.videoId}/stream`;
    const servers: Record<Name, Target> = {
      hub: { ...hub, path, headers: { authorization: `Bearer ${hub.clientKey}` } },
      workers: { ...workers, path, headers: { authorization: `Bearer ${workers.clientKey}` } },
      nginx: { ...nginx, path: `/${video.filePath}`, headers: {} },
      bare: { ...bare, path: "/", headers: {} },
    };

    const measure = async (
      { port, pid, path, headers }: Target,
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
    const results = kinds.map((kind): Result => ({ kind, hub: [], workers: [], nginx: [], bare: [] }));
    // Round 0 is not counted: a hub that has run for days has long been compiled to machine code.
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
      for (const result of results) {
        for (const name of names) {
          const measured = await measure(servers[name], result.kind);
          if (round > 0) result[name].push(measured);
        }
      }
    }
    return results.flatMap(rowsOf);
  },
};

async function startBareServer(options: { file: string; scratch: string; signal: AbortSignal }) {
  const { file, scratch, signal } = options;
  const program = await compileProgram(scratch, "bare-range-server", bareServer);
  const port = await findFreePort();
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/`)).ok;
  const server = await startServer({ argv: [program, `${port}`, file], signal, isReady });
  return { ...server, port };
}

interface Result extends Record<Name, Measured[]> {
  kind: (typeof kinds)[number];
}

function rowsOf({ kind, hub, workers, nginx, bare }: Result): Row[] {
  const kibibytes = kind.rangeBytes / 1024;
  const size = kibibytes < 1024 ? `${kibibytes} KiB` : `${kibibytes / 1024} MiB`;
  const hasGoal = kibibytes >= 1024;
  const row = (figure: string, unit: string, key: keyof Measured, peer: NonNullable<Row["peer"]>): Row => ({
    figure: `${size}, ${kind.connections} connections: ${figure}`,
    ours: hub.map((one) => one[key]),
    unit,
    peer,
  });
  const peers = (key: keyof Measured) => ({
    nginx: { name: "nginx, one worker, sendfile", values: nginx.map((one) => one[key]) },
    bare: { name: "bare Bun.serve, this file alone", values: bare.map((one) => one[key]) },
  });
  const throughWorkers: Row = {
    figure: `${size}, ${kind.connections} connections, through media workers: throughput`,
    ours: workers.map((one) => one.megabytesPerSecond),
    unit: "MB/s",
    peer: peers("megabytesPerSecond").nginx,
    ...(hasGoal && { goal: { of: "ratio", is: "at_least", value: 0.7 } as const }),
  };
  const workersCpu: Row = {
    figure: `${size}, ${kind.connections} connections, through media workers: CPU, theirs included`,
    ours: workers.map((one) => one.cpuSecondsPerGigabyte),
    unit: "s/GB",
    peer: peers("cpuSecondsPerGigabyte").nginx,
  };
  const [speed, cpu] = [peers("megabytesPerSecond"), peers("cpuSecondsPerGigabyte")];
  const note =
    "The hub checks the key, the catalog and the file for every request; nginx and the bare server check nothing.";
  return [
    {
      ...row("throughput", "MB/s", "megabytesPerSecond", speed.nginx),
      ...(hasGoal && { goal: { of: "ratio", is: "at_least", value: 1 } as const }),
      note,
    },
    row("throughput", "MB/s", "megabytesPerSecond", speed.bare),
    {
      ...row("CPU of the server", "s/GB", "cpuSecondsPerGigabyte", cpu.nginx),
      ...(hasGoal && { goal: { of: "ratio", is: "at_most", value: 1 } as const }),
    },
    row("CPU of the server", "s/GB", "cpuSecondsPerGigabyte", cpu.bare),
    throughWorkers,
    workersCpu,
  ];
}
