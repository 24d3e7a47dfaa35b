import { type Clock, sleep } from "../../common/clock.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { ReportedAlert } from "../../common/protocol/alert.ts";
import { AlertBook } from "./alert-book.ts";
import { readAlertFile, writeAlertFile } from "./alert-file.ts";
import { type AlertFacts, type AlertThresholds, conditionsOf } from "./alert-rules.ts";

export interface AlertWatchOptions {
  /** Where what the hub has not heard of survives a restart. */
  path: string;
  thresholds: () => AlertThresholds;
  facts: () => Promise<AlertFacts>;
  /** Something was raised or is over: the hub should hear of it now. */
  onChange: () => void;
  clock: Clock;
  logger: Logger;
  /** Between two looks; default 5 s. */
  intervalMs?: number;
}

const defaultIntervalMs = 5000;

/** Looks every few seconds whether something is wrong with the node, and remembers it until the hub has heard of it. */
export class AlertWatch {
  readonly #options: AlertWatchOptions;
  readonly #book: AlertBook;
  /** What is in memory is not all in the file. */
  #isUnsaved = false;
  #isSaveFailing = false;

  private constructor(options: AlertWatchOptions, book: AlertBook) {
    this.#options = options;
    this.#book = book;
  }

  static async open(options: AlertWatchOptions): Promise<AlertWatch> {
    return new AlertWatch(options, new AlertBook(await readAlertFile(options.path, options.logger)));
  }

  /** What goes on, and what is over and the hub has not heard of. */
  list(): ReportedAlert[] {
    return this.#book.list();
  }

  /** The hub has heard of these. */
  heard(alerts: readonly ReportedAlert[]): void {
    if (this.#book.heard(alerts)) this.#isUnsaved = true;
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs = defaultIntervalMs, logger } = this.#options;
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await this.look();
        isFailing = false;
      } catch (error) {
        if (!isFailing) logger.error("alerts cannot be looked for", errorFields(error));
        isFailing = true;
      }
      await sleep(intervalMs, signal);
    }
    await this.#save();
  }

  /** Looks now. */
  async look(): Promise<void> {
    const { facts, thresholds, clock, logger, onChange } = this.#options;
    const book = this.#book;
    const conditions = conditionsOf(await facts(), thresholds(), (code, id) => book.isActive(code, id));
    const times = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    const { raised, cleared, isChanged } = book.update(conditions, times);
    if (isChanged) this.#isUnsaved = true;
    await this.#save();
    for (const { code, severity, camera_id, message } of raised) {
      logger.warning("an alert was raised", { code, severity, camera_id, text: message });
    }
    for (const { code, camera_id } of cleared) logger.info("an alert is over", { code, camera_id });
    if (raised.length + cleared.length > 0) onChange();
  }

  /** What could not be written, because the disk is full or fails, is right in memory and written with the next look. */
  async #save(): Promise<void> {
    if (!this.#isUnsaved) return;
    this.#isUnsaved = false;
    try {
      await writeAlertFile(this.#options.path, this.#book.memory());
      this.#isSaveFailing = false;
    } catch (error) {
      this.#isUnsaved = true;
      if (!this.#isSaveFailing) {
        this.#options.logger.error("alerts cannot be written down", errorFields(error));
      }
      this.#isSaveFailing = true;
    }
  }
}
