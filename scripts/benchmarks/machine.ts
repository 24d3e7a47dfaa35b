import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { sleep } from "../../src/common/clock.ts";

/** Other programs used more than this share of the machine: figures are not to be trusted. */
const busyShare = 0.1;

/** `Intel Xeon, 2 cores, 24 GB, Linux 6.1.0, Bun 1.4.5, load 0.70` */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() || process.arch;
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const load = (loadavg()[0] ?? 0).toFixed(2);
  return `${model}, ${availableParallelism()} cores, ${gigabytes} GB, Linux ${release()}, Bun ${Bun.version}, load ${load}`;
}

/** Looks for a second at what the machine does while we do nothing. Returns a warning, or undefined when it is idle. */
export async function describeOthersLoad(signal: AbortSignal): Promise<string | undefined> {
  const before = await readCpuTimes();
  await sleep(1000, signal);
  const after = await readCpuTimes();
  const total = after.total - before.total;
  const share = total > 0 ? (after.busy - before.busy) / total : 0;
  const stolen = total > 0 ? (after.stolen - before.stolen) / total : 0;
  if (share + stolen <= busyShare) return undefined;
  const percent = (value: number) => `${Math.round(value * 100)} %`;
  return `the machine was busy with other things (${percent(share)} of all cores, ${percent(stolen)} stolen)`;
}

/** First line of /proc/stat, in ticks. */
async function readCpuTimes(): Promise<{ total: number; busy: number; stolen: number }> {
  const line = /^cpu +(.*)$/m.exec(await readFile("/proc/stat", "utf8"))?.[1] ?? "";
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softIrq = 0, stolen = 0] = line
    .split(" ")
    .map(Number);
  const busy = user + nice + system + irq + softIrq;
  return { total: busy + idle + waiting + stolen, busy, stolen };
}
