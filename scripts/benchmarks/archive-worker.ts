import * as v from "valibot";
import { parseSegmentIdentity, SegmentIdentityJson } from "../../src/common/segment-identity.ts";
import { PathDestination } from "../../src/edge/uploader/path-destination.ts";
import { type IoUsage, readIo } from "./process-usage.ts";

/** Puts one segment, described by JSON on stdin, into an archive; prints an {@link ArchivePassUsage}. */
const Order = v.object({
  sourcePath: v.string(),
  tablesPath: v.string(),
  archiveDir: v.string(),
  identity: SegmentIdentityJson,
  spoolChecksum: v.string(),
});
export type Order = v.InferInput<typeof Order>;

/** Of the put alone, without the start of the process. */
export interface ArchivePassUsage extends IoUsage {
  seconds: number;
  cpuSeconds: number;
  /** Relative to the archive. */
  filePath: string;
}

async function usage(): Promise<IoUsage> {
  const io = await readIo(process.pid);
  if (io === undefined) throw new Error("this kernel does not count the bytes that processes read and write");
  return io;
}

if (import.meta.main) {
  const input: unknown = await Bun.stdin.json();
  const { sourcePath, tablesPath, archiveDir, spoolChecksum } = v.parse(Order, input);
  const identity = parseSegmentIdentity((input as Order).identity);
  const destination = new PathDestination({ path: archiveDir });

  const before = await usage();
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const { filePath } = await destination.put({
    ...{ sourcePath, tablesPath, identity, spoolChecksum },
    expectedArchiveId: undefined,
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const after = await usage();
  const result: ArchivePassUsage = {
    seconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    readBytes: after.readBytes - before.readBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    filePath,
  };
  process.stdout.write(JSON.stringify(result));
}
