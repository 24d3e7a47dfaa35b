import { readdir, readFile } from "node:fs/promises";

/** `USER_HZ`, the unit of times in /proc; 100 on every Linux there is. */
const ticksPerSecond = 100;

export interface ProcessUsage {
  pid: number;
  parentPid: number;
  /** Name of the program, at most 15 characters. */
  name: string;
  /** CPU of the process itself, user and system, in seconds. */
  cpuSeconds: number;
  /** CPU of children that have ended, and of theirs. */
  reapedCpuSeconds: number;
}

/** proc_pid_stat(5); undefined when there is no such process. */
export async function readProcess(pid: number): Promise<ProcessUsage | undefined> {
  const text = await readProcFile(pid, "stat");
  if (text === undefined) return undefined;
  // The name stands in brackets and may have brackets itself.
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid,
    parentPid: field(4),
    name: text.slice(text.indexOf("(") + 1, nameEnd),
    cpuSeconds: (field(14) + field(15)) / ticksPerSecond,
    reapedCpuSeconds: (field(16) + field(17)) / ticksPerSecond,
  };
}

/** A process and all that descends from it, itself first. */
export async function readProcessTree(rootPid: number): Promise<ProcessUsage[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map(readProcess))).filter((found) => found !== undefined);
  const tree = all.filter(({ pid }) => pid === rootPid);
  for (let next = 0; next < tree.length; next++) {
    tree.push(...all.filter(({ parentPid }) => parentPid === tree[next]?.pid));
  }
  return tree;
}

/** CPU seconds that a tree of processes has used since it began; grows also while children come and go. */
export function cpuOfTree(tree: readonly ProcessUsage[]): number {
  return tree.reduce((sum, { cpuSeconds, reapedCpuSeconds }) => sum + cpuSeconds + reapedCpuSeconds, 0);
}

export interface MemoryUsage {
  /** Pages in memory, shared ones counted whole. */
  rssBytes: number;
  /** Shared pages counted by their share: what ending the process would give back. */
  pssBytes: number;
  /** What is in no file, so that only ending the process would give it back: heap, buffers, stacks. */
  anonymousBytes: number;
}

/** /proc/PID/smaps_rollup; undefined when the process has ended. */
export async function readMemory(pid: number): Promise<MemoryUsage | undefined> {
  const text = await readProcFile(pid, "smaps_rollup");
  const field = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text ?? "")?.[1] ?? Number.NaN) * 1024;
  const rssBytes = field("Rss");
  return Number.isNaN(rssBytes)
    ? undefined
    : { rssBytes, pssBytes: field("Pss"), anonymousBytes: field("Anonymous") };
}

/** Bytes through read and write calls since the process began, from page cache or disk alike. */
export interface IoUsage {
  readBytes: number;
  writtenBytes: number;
}

/** proc_pid_io(5); undefined when the process has ended. Reads and writes of ended children are in it. */
export async function readIo(pid: number): Promise<IoUsage | undefined> {
  const text = await readProcFile(pid, "io");
  const field = (name: string) =>
    Number(new RegExp(`^${name}: (\\d+)`, "m").exec(text ?? "")?.[1] ?? Number.NaN);
  const [readBytes, writtenBytes] = [field("rchar"), field("wchar")];
  return Number.isNaN(readBytes) ? undefined : { readBytes, writtenBytes };
}

/** Processes come and go while we look: one that is gone is no error. */
async function readProcFile(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
