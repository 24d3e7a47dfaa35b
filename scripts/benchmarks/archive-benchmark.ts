import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { archiveIdentityPath } from "../../src/common/archive-path.ts";
import { runChild } from "../../src/common/child-process.ts";
import { formatSegmentIdentity } from "../../src/common/segment-identity.ts";
import { writeSegmentTables } from "../../src/edge/segment-tables.ts";
import { tablesFile } from "../../src/edge/spool/spool-layout.ts";
import type { ArchivePassUsage, Order } from "./archive-worker.ts";
import type { Benchmark, Row } from "./benchmark.ts";
import { makeSampleSegment, type SampleSegment } from "./sample-segment.ts";
import { copySynced } from "./synced-copy.ts";

const rounds = { full: 7, quick: 3, tiny: 1 };
const memoryFolder = "/dev/shm";

type Place = "disk" | "memory";
const kinds: { figure: string; place: Place; cached: boolean }[] = [
  { figure: "disk to disk, segment in the page cache", place: "disk", cached: true },
  { figure: "disk to disk, segment not in the page cache", place: "disk", cached: false },
  { figure: "page cache to memory, no disk in the way", place: "memory", cached: true },
];

export const archiveBenchmark: Benchmark = {
  name: "archive",
  summary: "bringing a closed segment of 300 MB to the archive, against cp and fsync",

  async run({ scale, scratch, signal, say }) {
    say("making the segment");
    const segment = await makeSampleSegment(scratch, scale, signal);
    const tablesPath = join(scratch, tablesFile);
    await writeSegmentTables(tablesPath, segment.index, segment.identity);
    await using memory = await makeMemoryFolder();
    const folders: Partial<Record<Place, string>> = { disk: scratch, ...(memory && { memory: memory.path }) };
    const usable = kinds.flatMap((kind) => {
      const folder = folders[kind.place];
      return folder === undefined
        ? []
        : [
            {
              ...kind,
              folder,
              ours: [] as ArchivePassUsage[],
              hashes: [] as number[],
              peers: [] as number[],
            },
          ];
    });
    for (const folder of new Set(usable.map((kind) => kind.folder)))
      await makeArchive(join(folder, "archive"));

    for (let round = 1; round <= rounds[scale]; round++) {
      say(`round ${round} of ${rounds[scale]}`);
      for (const { folder, cached, ours, hashes, peers } of usable) {
        await prepareCache(segment.path, cached, signal);
        const copy = join(folder, "copy.mp4");
        peers.push(await copySynced(segment.path, copy, signal));
        await rm(copy);
        await prepareCache(segment.path, cached, signal);
        const archiveDir = join(folder, "archive");
        const usage = await putSegment(segment, tablesPath, archiveDir, signal);
        ours.push(usage);
        await rm(join(archiveDir, usage.filePath));
        await prepareCache(segment.path, cached, signal);
        hashes.push(await hashAlone(segment.path, signal));
      }
    }
    return usable.flatMap(({ figure, place, cached, ...measured }) =>
      rowsOf({ figure, isGoal: place === "disk", withBytes: place === "disk" && cached }, segment, measured),
    );
  },
};

async function makeMemoryFolder(): Promise<({ path: string } & AsyncDisposable) | undefined> {
  const isThere = await stat(memoryFolder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) return undefined;
  const path = await mkdtemp(join(memoryFolder, "livecam-bench-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function makeArchive(root: string): Promise<void> {
  await mkdir(join(root, "metadata"), { recursive: true });
  const identity = {
    archive_id: crypto.randomUUID(),
    created_at: new Date().toISOString(),
    format_version: 1,
  };
  await Bun.write(join(root, archiveIdentityPath), JSON.stringify(identity));
}

/** Puts the file into the page cache, or takes it out by posix_fadvise, which needs no root. */
async function prepareCache(path: string, cached: boolean, signal: AbortSignal): Promise<void> {
  const argv = cached
    ? ["dd", `if=${path}`, "of=/dev/null", "bs=1M", "status=none"]
    : ["dd", `if=${path}`, "iflag=nocache", "count=0", "status=none"];
  // What rounds before have left to write would be charged to the next one.
  for (const command of [["sync"], argv]) {
    const exit = await runChild({ argv: command, timeoutMs: 120_000, signal });
    signal.throwIfAborted();
    if (exit.exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${exit.stderrTail.trim()}`);
  }
}

async function putSegment(
  segment: SampleSegment,
  tablesPath: string,
  archiveDir: string,
  signal: AbortSignal,
): Promise<ArchivePassUsage> {
  const order: Order = {
    sourcePath: segment.path,
    tablesPath,
    archiveDir,
    identity: formatSegmentIdentity(segment.identity),
    spoolChecksum: segment.spoolChecksum,
  };
  const exit = await runChild({
    argv: [process.execPath, join(import.meta.dir, "archive-worker.ts")],
    stdin: new TextEncoder().encode(JSON.stringify(order)),
    timeoutMs: 300_000,
    signal,
  });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`the archive pass failed: ${exit.stderrTail.trim()}`);
  return JSON.parse(new TextDecoder().decode(exit.stdout)) as ArchivePassUsage;
}

async function hashAlone(path: string, signal: AbortSignal): Promise<number> {
  const exit = await runChild({
    argv: [process.execPath, join(import.meta.dir, "hash-alone.ts"), path],
    timeoutMs: 300_000,
    signal,
  });
  signal.throwIfAborted();
  if (exit.exitCode !== 0) throw new Error(`hashing alone failed: ${exit.stderrTail.trim()}`);
  return Number(new TextDecoder().decode(exit.stdout));
}

function rowsOf(
  { figure, isGoal, withBytes }: { figure: string; isGoal: boolean; withBytes: boolean },
  { sizeBytes }: SampleSegment,
  {
    ours,
    hashes,
    peers,
  }: Record<"hashes" | "peers", readonly number[]> & { ours: readonly ArchivePassUsage[] },
): Row[] {
  const megabytesPerSecond = (seconds: number) => sizeBytes / 1e6 / seconds;
  const peer = { name: "cp and fsync", values: peers.map(megabytesPerSecond) };
  const perByte = (key: "readBytes" | "writtenBytes") => ours.map((usage) => usage[key] / sizeBytes);
  const bytes = (what: string, key: "readBytes" | "writtenBytes"): Row => ({
    figure: `bytes ${what} per byte of video`,
    ours: perByte(key),
    unit: "",
    peer: { name: "each byte once", values: ours.map(() => 1) },
    // Beside the video: the index in front of the payload.
    goal: { of: "figure", is: "at_most", value: 1.01 },
  });
  return [
    {
      figure,
      ours: ours.map(({ seconds }) => megabytesPerSecond(seconds)),
      unit: "MB/s",
      peer,
      ...(isGoal && { goal: { of: "ratio", is: "at_least", value: 0.9 } as const }),
      note: "The archive pass hashes every byte (SHA-256), and compares a checksum; cp does neither.",
    },
    {
      figure: `${figure}: the limit, SHA-256 alone`,
      ours: hashes.map(megabytesPerSecond),
      unit: "MB/s",
      peer,
      note: "The limit only reads and hashes. What it says is of the machine, not of livecam.",
    },
    {
      figure: `${figure}: CPU`,
      ours: ours.map(({ cpuSeconds }) => cpuSeconds / (sizeBytes / 1e9)),
      unit: "s/GB",
    },
    ...(withBytes ? [bytes("read", "readBytes"), bytes("written", "writtenBytes")] : []),
  ];
}
