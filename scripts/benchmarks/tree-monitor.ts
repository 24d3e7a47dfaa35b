import { sleep } from "../../src/common/clock.ts";
import { cpuOfTree, type ProcessUsage, readMemory, readProcessTree } from "./process-usage.ts";

export interface GroupUsage {
  /** While it was watched. */
  cpuSeconds: number;
  /** Highest of the sums seen. */
  peakRssBytes: number;
  peakPssBytes: number;
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
  const peaks = { total: newPeak(), root: newPeak(), ffmpeg: newPeak(), others: newPeak() };

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
    total: { cpuSeconds: total, ...peaks.total },
    root: { cpuSeconds: root, ...peaks.root },
    ffmpeg: { cpuSeconds: ffmpeg, ...peaks.ffmpeg },
    others: { cpuSeconds: total - root - ffmpeg, ...peaks.others },
  };
}

interface Peak {
  peakRssBytes: number;
  peakPssBytes: number;
}

const newPeak = (): Peak => ({ peakRssBytes: 0, peakPssBytes: 0 });

async function updatePeaks(
  peaks: Record<GroupName | "total", Peak>,
  tree: readonly ProcessUsage[],
  groupOf: (one: ProcessUsage) => GroupName,
): Promise<void> {
  const now = { total: newPeak(), root: newPeak(), ffmpeg: newPeak(), others: newPeak() };
  for (const one of tree) {
    const memory = await readMemory(one.pid);
    if (memory === undefined) continue;
    for (const sum of [now.total, now[groupOf(one)]]) {
      sum.peakRssBytes += memory.rssBytes;
      sum.peakPssBytes += memory.pssBytes;
    }
  }
  for (const name of ["total", "root", "ffmpeg", "others"] as const) {
    peaks[name].peakRssBytes = Math.max(peaks[name].peakRssBytes, now[name].peakRssBytes);
    peaks[name].peakPssBytes = Math.max(peaks[name].peakPssBytes, now[name].peakPssBytes);
  }
}
