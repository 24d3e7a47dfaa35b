import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { runChild } from "../../common/child-process.ts";
import { errorCodeOf } from "../../common/errors.ts";

export interface ClockSyncProbeOptions {
  /** Where `/run` is; another folder in tests. */
  root?: string;
  /** Programs to ask, the first that knows answers; each with the pattern of a yes and of a no in what it prints. */
  programs?: readonly ClockProgram[];
  /** How long each may take; default 2 s. */
  limitMs?: number;
}

/** What somebody who knows says of the clock. */
export interface ClockAnswer {
  isSynced: boolean;
  /** `timedatectl` */
  source: string;
}

export interface ClockProgram {
  argv: readonly string[];
  yes: RegExp;
  no: RegExp;
}

/** systemd-timesyncd makes it with the first answer of a server after a boot. */
const timesyncdFile = "run/systemd/timesync/synchronized";
const programLimitMs = 2000;

export const clockPrograms: readonly ClockProgram[] = [
  // Asks the kernel (adjtimex), which every NTP service tells; needs no privilege.
  {
    argv: ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
    yes: /^yes$/m,
    no: /^no$/m,
  },
  // Where there is no systemd.
  {
    argv: ["chronyc", "-n", "tracking"],
    yes: /^Leap status\s*:\s*(?:Normal|Insert second|Delete second)/m,
    no: /^Leap status\s*:\s*Not synchronised/m,
  },
];

/**
 * Whether this machine's clock has been set by NTP; undefined where nothing tells (no systemd, a container). Takes a
 * file's look-up where systemd-timesyncd has synced, two seconds per program at most elsewhere. Never rejects.
 */
export async function probeClockSync(options: ClockSyncProbeOptions = {}): Promise<ClockAnswer | undefined> {
  const { root = "/", programs = clockPrograms, limitMs = programLimitMs } = options;
  const isSynced = await access(join(root, timesyncdFile)).then(
    () => true,
    () => false,
  );
  if (isSynced) return { isSynced, source: "systemd-timesyncd" };
  for (const { argv, yes, no } of programs) {
    const source = basename(argv[0] ?? "");
    const text = await outputOf(argv, limitMs);
    // Early in a boot it has to wait for others: who is not answered yet does not believe the clock.
    if (text === undefined) return { isSynced: false, source };
    if (yes.test(text)) return { isSynced: true, source };
    if (no.test(text)) return { isSynced: false, source };
  }
  return undefined;
}

/** Empty for a program that is not there or fails: it knows nothing. Undefined for one that does not answer in time. */
async function outputOf(argv: readonly string[], timeoutMs: number): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runChild({ argv, timeoutMs, maxOutputBytes: 65_536 });
    return exitCode === 0 ? new TextDecoder().decode(stdout) : "";
  } catch (error) {
    return errorCodeOf(error) === "timeout" ? undefined : "";
  }
}
