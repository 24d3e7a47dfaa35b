import { type Clock, earliestWallMs, sleep } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { ClockStatus } from "../../common/protocol/node.ts";
import { type ClockAnswer, probeClockSync } from "./clock-sync-probe.ts";

export interface ClockWatchOptions {
  clock: Clock;
  /** `trusted`: it is right without NTP, by a battery or a satellite; nothing is asked then. */
  source: "ntp" | "trusted";
  logger: Logger;
  /** Undefined where nothing tells. Must not reject. */
  probe?: () => Promise<ClockAnswer | undefined>;
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
  #answer: ClockAnswer | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** As of the last look, except that a clock of before 2024 is never believed. */
  state(): "synced" | "unsynced" {
    return this.#isSet && this.#isPlausible() ? "synced" : "unsynced";
  }

  /** For people: also who says so, and whether anybody does. */
  status(): Pick<ClockStatus, "state" | "source"> {
    const isTrusted = this.#options.source === "trusted";
    const source = isTrusted ? "config" : (this.#answer?.source ?? null);
    if (this.state() === "unsynced") return { state: "unsynced", source };
    return { state: source === null ? "unknown" : "synced", source };
  }

  /** Looks now, unless it is known already. */
  async check(): Promise<void> {
    if (this.#isSet || !this.#isPlausible()) return;
    const { source, probe = probeClockSync } = this.#options;
    if (source !== "trusted") this.#answer = await probe();
    this.#isSet = this.#answer?.isSynced ?? true;
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
