import { Cron } from "croner";
import { type Clock, sleep } from "../../common/clock.ts";
import type { ConnectionCheck } from "./archive-destination.ts";

/** The next time after `wallMs` to look; undefined for never. */
export type CheckSchedule = (wallMs: number) => number | undefined;

/** `pattern` has five fields, or six with seconds first. Throws for what is no pattern. */
export function cronSchedule(pattern: string, timeZone: string): CheckSchedule {
  const cron = new Cron(pattern, { timezone: timeZone });
  return (wallMs) => cron.nextRun(new Date(wallMs))?.getTime();
}

export interface ArchiveWatchOptions {
  /** Never throws. */
  check: () => Promise<ConnectionCheck>;
  expectedArchiveId: () => string | undefined;
  schedule: CheckSchedule;
  clock: Clock;
  /** True when it is known that the archive cannot be reached; else a check has to say so first. */
  away: boolean;
}

/** The clock that the schedule goes by may be set meanwhile. */
const maxWaitMs = 60_000;

/**
 * Looks after an archive that uploads failed at. True as soon as it can be reached again; one that could be reached all
 * the time, but is full, is not back. False when `signal` aborted first.
 */
export async function untilArchiveIsBack(
  options: ArchiveWatchOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { check, expectedArchiveId, schedule, clock } = options;
  let { away } = options;
  let atMs = schedule(clock.wallMs());
  while (!signal.aborted && atMs !== undefined) {
    const waitMs = atMs - clock.wallMs();
    if (waitMs > 0) {
      await sleep(Math.min(waitMs, maxWaitMs), signal);
      // After a step back it would be long until then.
      atMs = Math.min(atMs, schedule(clock.wallMs()) ?? atMs);
      continue;
    }
    const found = await check();
    const expected = expectedArchiveId();
    const isThere = found.ok && (expected === undefined || found.archiveId === expected);
    if (isThere && away) return !signal.aborted;
    away = !isThere;
    atMs = schedule(clock.wallMs());
  }
  return false;
}
