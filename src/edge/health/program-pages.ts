import { dlopen } from "bun:ffi";
import { readFile } from "node:fs/promises";
import { sleep } from "../../common/clock.ts";
import { errorFields, type Logger } from "../../common/log.ts";

/** How often it is looked at; the first time when the start is over. */
const everyMs = 10_000;
/** Less is not worth the work: some of the pages are needed again at once. */
const largeBytes = 50_000_000;
/** madvise(2). */
const madvDontNeed = 4;

export interface ProgramMapping {
  address: number;
  sizeBytes: number;
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
    mappings.push({ address, sizeBytes });
  }
  return mappings;
}

/** Pages of this program's own file, most of which only its start needed. */
export interface ProgramPages extends Disposable {
  /** Lets go of them; those in use come back from the page cache within a millisecond. False when the system refuses. */
  release(): boolean;
}

/** Throws where the system does not have what that takes. */
export async function openProgramPages(): Promise<ProgramPages> {
  // Where they lie does not change while the program runs.
  const mappings = untouchedMappings(await readFile("/proc/self/smaps", "utf8"), process.execPath);
  const libc = dlopen("libc.so.6", { madvise: { args: ["ptr", "usize", "i32"], returns: "i32" } });
  return {
    // An address is a number to the interface of the runtime, too.
    release: () =>
      mappings.every(
        ({ address, sizeBytes }) => libc.symbols.madvise(address as never, sizeBytes, madvDontNeed) === 0,
      ),
    [Symbol.dispose]: () => libc.close(),
  };
}

/** Gives back what can be given back whenever the process is large. Until aborted. Never rejects. */
export async function runProgramPageRelease(logger: Logger, signal: AbortSignal): Promise<void> {
  await sleep(everyMs, signal);
  // What the start left behind.
  Bun.gc(true);
  try {
    using pages = await openProgramPages();
    while (!signal.aborted) {
      if (process.memoryUsage.rss() > largeBytes) pages.release();
      await sleep(everyMs, signal);
    }
  } catch (error) {
    logger.debug("the pages of the program stay in memory", errorFields(error));
  }
}
