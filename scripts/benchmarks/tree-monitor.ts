import { sleep } from "../../src/common/clock.ts";
import {
  cpuOfTree,
  type MemoryUsage,
  type ProcessUsage,
  readMemory,
  readProcessTree,
} from "./process-usage.ts";

export interface GroupUsage {
  /** While it was watched. */
  cpuSeconds: number;
  /** Highest of the sums seen, each by itself. */
  peak: MemoryUsage;
}

export interface TreeUsage {
  seconds: number;
  total: GroupUsage;
  /** The process at the root alone. */
  root: GroupUsage;
  /** Descendants called `ffmpeg`. */
  ffmpeg: GroupUsage;
  /** All other descendants, those that came and went between two looks, too. */
  others: GroupUsage;
}

type GroupName = "root" | "ffmpeg" | "others";
const sampleMs = 250;

/** Watches a process and its descendants for `seconds`. */
export async function watchTree(rootPid: number, seconds: number, signal: AbortSignal): Promise<TreeUsage> {
  const groupOf = ({ pid, name }: ProcessUsage): GroupName =>
    pid === rootPid ? "root" : name === "ffmpeg" ? "ffmpeg" : "others";
  const cpuOf = (tree: readonly ProcessUsage[], group: GroupName) =>
    tree.filter((one) => groupOf(one) === group).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const peaks = newPeaks();

  const startedAtMs = performance.now();
  const before = await readProcessTree(rootPid);
  while (performance.now() - startedAtMs < seconds * 1000 - sampleMs / 2 && !signal.aborted) {
    await sleep(sampleMs, signal);
    await updatePeaks(peaks, await readProcessTree(rootPid), groupOf);
  }
  signal.throwIfAborted();
  const after = await readProcessTree(rootPid);
  if (after.length === 0) throw new Error("the process that was watched has ended");

  const total = cpuOfTree(after) - cpuOfTree(before);
  const root = cpuOf(after, "root") - cpuOf(before, "root");
  const ffmpeg = cpuOf(after, "ffmpeg") - cpuOf(before, "ffmpeg");
  return {
    seconds: (performance.now() - startedAtMs) / 1000,
    total: { cpuSeconds: total, peak: peaks.total },
    root: { cpuSeconds: root, peak: peaks.root },
    ffmpeg: { cpuSeconds: ffmpeg, peak: peaks.ffmpeg },
    others: { cpuSeconds: total - root - ffmpeg, peak: peaks.others },
  };
}

type Peaks = Record<GroupName | "total", MemoryUsage>;

function newPeaks(): Peaks {
  const none = () => ({ rssBytes: 0, pssBytes: 0, anonymousBytes: 0 });
  return { total: none(), root: none(), ffmpeg: none(), others: none() };
}

async function updatePeaks(
  peaks: Peaks,
  tree: readonly ProcessUsage[],
  groupOf: (one: ProcessUsage) => GroupName,
): Promise<void> {
  const keys = ["rssBytes", "pssBytes", "anonymousBytes"] as const;
  const now = newPeaks();
  for (const one of tree) {
    const memory = await readMemory(one.pid);
    if (memory === undefined) continue;
    for (const sum of [now.total, now[groupOf(one)]]) for (const key of keys) sum[key] += memory[key];
  }
  for (const name of ["total", "root", "ffmpeg", "others"] as const) {
    for (const key of keys) peaks[name][key] = Math.max(peaks[name][key], now[name][key]);
  }
}
