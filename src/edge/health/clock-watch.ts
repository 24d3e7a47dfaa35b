import { type Clock, earliestWallMs, sleep } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import { probeClockSync } from "./clock-sync-probe.ts";

export interface ClockWatchOptions {
  clock: Clock;
  /** `trusted`: it is right without NTP, by a battery or a satellite; nothing is asked then. */
  source: "ntp" | "trusted";
  logger: Logger;
  /** True, false, or undefined where nothing tells. Must not reject. */
  probe?: () => Promise<boolean | undefined>;
  intervalMs?: number;
}

const defaultIntervalMs = 5000;

/**
 * Knows whether the wall clock can be believed. Once it was set it stays so: a server that is away later lets it
 * drift by less than anyone sees. Where nothing tells, a clock that is not plainly wrong is believed.
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  #isSet = false;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** As of the last look, except that a clock of before 2024 is never believed. */
  state(): "synced" | "unsynced" {
    return this.#isSet && this.#isPlausible() ? "synced" : "unsynced";
  }

  /** Looks now, unless it is known already. */
  async check(): Promise<void> {
    if (this.#isSet || !this.#isPlausible()) return;
    const { source, probe = probeClockSync } = this.#options;
    this.#isSet = source === "trusted" || ((await probe()) ?? true);
  }

  /** Looks every few seconds until the clock is set, or aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, intervalMs = defaultIntervalMs } = this.#options;
    await this.check();
    if (this.state() === "unsynced") {
      logger.warning("the clock is not set yet; what is recorded now gets its date when it is");
    }
    while (!signal.aborted && this.state() === "unsynced") {
      await sleep(intervalMs, signal);
      await this.check();
      if (this.state() === "synced") logger.info("the clock is set");
    }
  }

  #isPlausible(): boolean {
    return this.#options.clock.wallMs() >= earliestWallMs;
  }
}
