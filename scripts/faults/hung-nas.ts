import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { sleep } from "../../src/common/clock.ts";
import { testArchiveId } from "../../tests/contract/archive-destination.contract.ts";
import { EdgeProcess, type EdgeSite, makeEdgeSite, videosIn } from "../../tests/support/edge-process.ts";
import { type FakeHub, fakeHubKey, startFakeHub } from "../../tests/support/fake-hub.ts";
import { canServeSmb, SmbServer, whyNoSmb } from "../../tests/support/smb-server.ts";
import { readProcessTree } from "../benchmarks/process-usage.ts";
import { formatNumber } from "../benchmarks/report.ts";
import { makeSampleVideo } from "../benchmarks/sample-video.ts";
import { percentile } from "../benchmarks/statistics.ts";
import { buildBinary } from "../build.ts";
import { formatColumns } from "./fault-table.ts";
import { latencyFigures, parseLatencies } from "./ffmpeg-relay.ts";

export interface HungNasOptions {
  minutes: number;
  folder: string;
  signal: AbortSignal;
  say: (text: string) => void;
}

/** One edge with its own hub and archive, measured. */
interface Subject {
  name: string;
  edge: EdgeProcess;
  hub: FakeHub;
  site: EdgeSite;
  logPath: string;
  /** Resident memory of the main process, in MB, while the archive hangs. */
  rss: number[];
}

const sampleMs = 2000;

/**
 * Three edges record the same at the same time: one whose archive answers, one whose upload workers are stopped as if
 * they hung in the kernel, and one whose SMB server is stopped. Prints them side by side; true when the recording of
 * the hung ones is as the other's.
 */
export async function runHungNas({ minutes, folder, signal, say }: HungNasOptions): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  say("compiling livecam-edge");
  const target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  const binary = await buildBinary({ binary: "edge", target, outDir: join(folder, "bin") });
  const sample = await makeSampleVideo(folder, minutes < 1 ? "tiny" : "quick", signal);
  const start = async (name: string, upload: (site: string) => object) => {
    const subject = await startSubject({ name, binary, sample, upload, minutes, folder: join(folder, name) });
    stack.defer(async () => {
      subject.edge.kill("SIGKILL");
      await subject.edge.exited;
      await subject.hub[Symbol.asyncDispose]();
    });
    return subject;
  };
  const answering = await start("archive answers", () => ({}));
  const stopped = await start("path, worker stopped", () => ({}));
  const subjects = [answering, stopped];
  let server: SmbServer | undefined;
  if (canServeSmb) {
    server = stack.use(await SmbServer.start({ tmp: tmpdir() }));
    const destination = server.destination("tmp");
    const path = (site: string) => relative(tmpdir(), join(site, "videos"));
    subjects.push(
      await start("smb, server stopped", (site) => ({ destination: { ...destination, path: path(site) } })),
    );
  } else {
    say(`without SMB: it ${whyNoSmb}`);
  }
  for (const { edge } of subjects) await edge.logged("acknowledged", 1);

  say(`the archives hang for ${formatNumber(minutes)} minutes`);
  const fromMs = Date.now();
  await server?.signal("SIGSTOP");
  const hanging = new AbortController();
  const stopping = stopWorkers(stopped.edge.pid, AbortSignal.any([signal, hanging.signal]));
  while (Date.now() < fromMs + minutes * 60_000 && !signal.aborted) {
    await sleep(sampleMs, signal);
    for (const { rss, edge } of subjects) rss.push(await residentMegabytes(edge.pid));
  }
  const toMs = Date.now();
  hanging.abort();
  await stopping;
  await server?.signal("SIGCONT");
  signal.throwIfAborted();
  say("the archives answer again");
  const drainMs = new Map<Subject, number>();
  for (const subject of subjects) {
    while ((await readdir(join(subject.site.spool, "closed"))).length > 0) await sleep(100, signal);
    signal.throwIfAborted();
    drainMs.set(subject, Date.now() - toMs);
  }
  for (const { edge } of subjects) await edge.stop();

  const columns = await Promise.all(
    subjects.map((subject) => columnOf(subject, drainMs.get(subject) ?? 0, fromMs, toMs)),
  );
  const row = (figure: string, of: (column: (typeof columns)[number]) => string | number) => [
    figure,
    ...columns.map((column) => String(of(column))),
  ];
  process.stdout.write(
    formatColumns(
      ["", ...columns.map(({ name }) => name)],
      [
        row("fragments", ({ figures }) => figures.count),
        row("fragment to disk, p50", ({ figures }) => `${formatNumber(figures.p50)} ms`),
        row("fragment to disk, p99", ({ figures }) => `${formatNumber(figures.p99)} ms`),
        row("fragment to disk, longest", ({ figures }) => `${formatNumber(figures.max)} ms`),
        row("RSS of livecam-edge, first quarter", ({ rssFirst }) => `${formatNumber(rssFirst)} MB`),
        row("RSS of livecam-edge, last quarter", ({ rssLast }) => `${formatNumber(rssLast)} MB`),
        row("upload workers given up", ({ givenUp }) => givenUp),
        row("segments recorded / missing at the end", ({ segments, missing }) => `${segments} / ${missing}`),
        row("all delivered after", ({ seconds }) => `${formatNumber(seconds)} s`),
      ],
    ),
  );
  const [own, ...hung] = columns;
  if (!own) return false;
  // Ten milliseconds: what two processes on one machine differ by, as runs without any fault show.
  return (
    columns.every(({ missing, segments, archived }) => missing === 0 && archived === segments) &&
    hung.every(
      ({ figures, rssLast }) => figures.p99 <= 2 * own.figures.p99 + 10 && rssLast <= own.rssLast * 1.15 + 5,
    )
  );
}

async function columnOf(subject: Subject, drainMs: number, fromMs: number, toMs: number) {
  const latencies = parseLatencies(await readFile(subject.logPath, "utf8"));
  const quarter = Math.ceil(subject.rss.length / 4);
  const sequences = [...subject.hub.videos.values()].map(({ sequence }) => sequence).sort((a, b) => a - b);
  const givenUp = "an upload worker that made no progress was given up";
  return {
    name: subject.name,
    figures: latencyFigures(latencies.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)),
    rssFirst: percentile(subject.rss.slice(0, quarter), 0.5),
    rssLast: percentile(subject.rss.slice(-quarter), 0.5),
    givenUp: subject.edge.log.filter(({ message }) => message === givenUp).length,
    segments: sequences.length,
    missing: (sequences.at(-1) ?? 0) + 1 - sequences.length,
    archived: (await videosIn(subject.site.archive)).length,
    seconds: drainMs / 1000,
  };
}

async function startSubject(options: {
  name: string;
  binary: string;
  sample: string;
  upload: (folder: string) => object;
  minutes: number;
  folder: string;
}): Promise<Subject> {
  const { name, binary, sample, upload, minutes } = options;
  // Sockets have short paths.
  const folder = options.folder.replace(/[ ,]+/g, "-");
  await mkdir(join(folder, "bin"), { recursive: true });
  const hub = startFakeHub();
  hub.archiveId = testArchiveId;
  const site = await makeEdgeSite(folder, {
    ...{ hubUrl: hub.url, apiKey: fakeHubKey },
    // The program in ffmpeg's place gives the file instead: fragments that wait for the edge could not be timed.
    cameras: [{ id: "cam01", source: { type: "test" } }],
    config: {
      recording: { segment_seconds: minutes < 10 ? 5 : 60, fsync_interval_ms: 2000 },
      upload: { stall_seconds: minutes < 10 ? 5 : 60, ...upload(folder) },
      network: { heartbeat_seconds: 10 },
      system: { run_path: join(folder, "run"), log_level: "debug" },
    },
  });
  const logPath = join(folder, "latency.log");
  await writeFile(logPath, "");
  const relay = join(import.meta.dir, "ffmpeg-relay.ts");
  const program = join(folder, "bin", "ffmpeg");
  await writeFile(program, `#!/bin/sh\nexec ${process.execPath} ${relay} "$@"\n`);
  await chmod(program, 0o755);
  const env = {
    ...process.env,
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    LIVECAM_RELAY_FFMPEG: Bun.which("ffmpeg") ?? "ffmpeg",
    LIVECAM_RELAY_SAMPLE: sample,
    LIVECAM_RELAY_SPOOL: site.spool,
    LIVECAM_RELAY_LOG: logPath,
  };
  return { name, hub, site, logPath, rss: [], edge: new EdgeProcess(site, { command: [binary], env }) };
}

/** Stops every upload worker of an edge as soon as it is there; lets go of the last one at the end. */
async function stopWorkers(edgePid: number, signal: AbortSignal): Promise<void> {
  let stopped: number[] = [];
  while (!signal.aborted) {
    stopped = [];
    for (const { pid } of (await readProcessTree(edgePid)).slice(1)) {
      const argv = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (argv.includes("archive-worker") && sent(pid, "SIGSTOP")) stopped.push(pid);
    }
    await sleep(100, signal);
  }
  for (const pid of stopped) sent(pid, "SIGCONT");
}

function sent(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function residentMegabytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) * 1024) / 1e6;
}
