import { dlopen } from "bun:ffi";
import { readFile } from "node:fs/promises";
import { sleep } from "../../common/clock.ts";
import { errorFields, type Logger } from "../../common/log.ts";

/** How often it is looked at; the first time when the start is over. */
const everyMs = 10_000;
/** Less is not worth the work: about a millisecond. */
const largeBytes = 55_000_000;
/** madvise(2). */
const madvDontNeed = 4;

export interface ProgramMapping {
  address: number;
  sizeBytes: number;
  residentBytes: number;
}

/**
 * The parts of a program's own file that are mapped for reading only and that nobody has written to, so that what is
 * dropped of them is read from the page cache again. `smaps` as in proc_pid_smaps(5). Pure.
 */
export function untouchedMappings(smaps: string, program: string): ProgramMapping[] {
  const mappings: ProgramMapping[] = [];
  for (const entry of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ +(.*)$/m.exec(entry);
    if (!head || !["r-xp", "r--p"].includes(head[3] ?? "") || head[4] !== program) continue;
    const kilobytes = (field: string) => Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(entry)?.[1]);
    if (kilobytes("Anonymous") !== 0) continue;
    const address = Number.parseInt(head[1] ?? "", 16);
    const sizeBytes = Number.parseInt(head[2] ?? "", 16) - address;
    mappings.push({ address, sizeBytes, residentBytes: kilobytes("Rss") * 1024 });
  }
  return mappings;
}

/**
 * Lets go of the pages of this program's own file, most of which only its start needed; those in use come back from
 * the page cache within a millisecond. Returns how many bytes were resident. Throws where the system does not have
 * what that takes.
 */
export async function releaseProgramPages(): Promise<number> {
  const mappings = untouchedMappings(await readFile("/proc/self/smaps", "utf8"), process.execPath);
  const libc = dlopen("libc.so.6", { madvise: { args: ["ptr", "usize", "i32"], returns: "i32" } });
  try {
    let residentBytes = 0;
    for (const mapping of mappings) {
      // An address is a number to the interface of the runtime, too.
      const result = libc.symbols.madvise(mapping.address as never, mapping.sizeBytes, madvDontNeed);
      if (result === 0) residentBytes += mapping.residentBytes;
    }
    return residentBytes;
  } finally {
    libc.close();
  }
}

/** Gives back what can be given back whenever the process is large. Until aborted. Never rejects. */
export async function runProgramPageRelease(logger: Logger, signal: AbortSignal): Promise<void> {
  await sleep(everyMs, signal);
  // What the start left behind.
  Bun.gc(true);
  while (!signal.aborted) {
    try {
      if (process.memoryUsage.rss() > largeBytes) await releaseProgramPages();
    } catch (error) {
      logger.debug("the pages of the program stay in memory", errorFields(error));
      return;
    }
    await sleep(everyMs, signal);
  }
}
