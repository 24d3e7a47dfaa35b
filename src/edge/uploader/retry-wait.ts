import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { Wakeup } from "../../common/wakeup.ts";
import type { ArchiveDestination } from "./archive-destination.ts";
import { type CheckSchedule, untilArchiveIsBack } from "./archive-watch.ts";

export interface RetryWaitOptions {
  destination: ArchiveDestination;
  expectedArchiveId: () => string | undefined;
  checkSchedule?: CheckSchedule;
  clock: Clock;
  logger: Logger;
}

export interface Retry {
  delayMs: number;
  /** The archive could not be reached. */
  away: boolean;
}

/** For `delayMs`; less when `retryNow` is woken, or when an archive that was away is back. */
export async function waitForRetry(
  options: RetryWaitOptions,
  { delayMs, away }: Retry,
  retryNow: Wakeup,
  signal: AbortSignal,
): Promise<void> {
  const { destination, expectedArchiveId, checkSchedule, clock, logger } = options;
  const over = new AbortController();
  const watching = checkSchedule
    ? untilArchiveIsBack(
        { check: () => destination.check(), expectedArchiveId, schedule: checkSchedule, clock, away },
        AbortSignal.any([signal, over.signal]),
      )
    : Promise.resolve(false);
  const noticing = watching.then((isBack) => {
    if (!isBack) return;
    logger.info("the archive can be reached again");
    retryNow.wake();
  });
  await retryNow.wait(signal, delayMs);
  over.abort();
  // A check that hangs would take an upload beside it down when it is given up.
  await untilAborted(noticing, signal);
}

/** When `work` is done or `signal` aborts. */
function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  work.then(stop);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}
