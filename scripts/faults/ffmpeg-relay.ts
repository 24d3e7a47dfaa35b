import { appendFileSync, closeSync, fstatSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { StreamSplitter } from "../../src/common/mp4/stream-splitter.ts";
import { fragmentedMp4Output } from "../../src/edge/camera/ffmpeg-arguments.ts";
import { percentile } from "../benchmarks/statistics.ts";

/**
 * Stands in ffmpeg's place before an edge that is measured: whatever is to be captured, it gives a file in real time, and
 * looks in the edge's spool until each fragment that it passed is in a file there.
 *
 * LIVECAM_RELAY_FFMPEG is the real program, LIVECAM_RELAY_SAMPLE the file, LIVECAM_RELAY_SPOOL the spool,
 * LIVECAM_RELAY_LOG gets a line per fragment.
 */
const {
  LIVECAM_RELAY_FFMPEG: ffmpeg = "",
  LIVECAM_RELAY_SAMPLE: sample = "",
  LIVECAM_RELAY_SPOOL: spool = "",
  LIVECAM_RELAY_LOG: log = "",
} = process.env;

export interface FragmentLatency {
  /** When the last byte of the fragment had come from the source, ms since 1970. */
  atMs: number;
  /** From then until the spool's file had it. */
  latencyMs: number;
}

export function parseLatencies(text: string): FragmentLatency[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [atMs = Number.NaN, latencyMs = Number.NaN] = line.split(" ").map(Number);
      return { atMs, latencyMs };
    });
}

export function latencyFigures(latencies: readonly FragmentLatency[]) {
  const values = latencies.map(({ latencyMs }) => latencyMs);
  return {
    count: values.length,
    p50: percentile(values, 0.5),
    p99: percentile(values, 0.99),
    max: Math.max(...values),
  };
}

const sampleInRealTime = [
  ...[
    "-nostdin",
    "-hide_banner",
    "-nostats",
    "-loglevel",
    "warning",
    "-re",
    "-stream_loop",
    "-1",
    "-i",
    sample,
  ],
  ...["-map", "0:V:0", "-c:v", "copy", ...fragmentedMp4Output],
];

const nowMs = () => performance.timeOrigin + performance.now();

/** Bytes of fragments that the spool's files have got, since it was made; files that moved on are counted. */
class SpoolGrowth {
  readonly #open = new Map<string, number>();
  #endedBytes = 0;

  constructor(
    readonly folder: string,
    readonly initBytes: number,
  ) {
    // What another process left is no growth.
    for (const name of readdirSync(folder)) this.#open.set(name, -1);
  }

  bytes(): number {
    const names = new Set(readdirSync(this.folder));
    for (const name of names) {
      if (this.#open.has(name)) continue;
      const fd = openIfThere(join(this.folder, name, "video.mp4"));
      if (fd !== undefined) this.#open.set(name, fd);
    }
    let total = this.#endedBytes;
    for (const [name, fd] of this.#open) {
      const bytes = fd < 0 ? 0 : Math.max(0, fstatSync(fd).size - this.initBytes);
      total += bytes;
      if (names.has(name)) continue;
      this.#endedBytes += bytes;
      if (fd >= 0) closeSync(fd);
      this.#open.delete(name);
    }
    return total;
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}

async function relay(): Promise<number> {
  const argv = process.argv.slice(2);
  const isCapture = argv.at(-1) === "pipe:1";
  const child = Bun.spawn([ffmpeg, ...(isCapture ? sampleInRealTime : argv)], {
    stdin: "inherit",
    stdout: isCapture ? "pipe" : "inherit",
    stderr: "inherit",
  });
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => child.kill(name));
  if (!isCapture || !child.stdout) return child.exited;

  const splitter = new StreamSplitter();
  const due: { atMs: number; untilBytes: number }[] = [];
  let growth: SpoolGrowth | undefined;
  let passedBytes = 0;
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    for (let sinceMs = performance.now(); due.length > 0; ) {
      const bytes = growth?.bytes() ?? 0;
      for (let next = due[0]; next && next.untilBytes <= bytes; next = due[0]) {
        appendFileSync(log, `${next.atMs.toFixed(3)} ${(nowMs() - next.atMs).toFixed(3)}\n`);
        due.shift();
        sinceMs = performance.now();
      }
      // Nearly always it is there at once; one that is not is not waited for at full speed.
      await (performance.now() - sinceMs < 5
        ? new Promise((resolve) => setImmediate(resolve))
        : Bun.sleep(1));
    }
    isLooking = false;
  };
  const out = Bun.stdout.writer();
  for await (const chunk of child.stdout) {
    const atMs = nowMs();
    for (const unit of splitter.push(chunk)) {
      if (unit.kind === "init") growth = new SpoolGrowth(join(spool, "recording"), unit.init.bytes.length);
      else {
        passedBytes += unit.fragment.bytes.length;
        due.push({ atMs, untilBytes: passedBytes });
      }
    }
    out.write(chunk);
    await out.flush();
    void look();
  }
  return child.exited;
}

if (import.meta.main) process.exit(await relay());
