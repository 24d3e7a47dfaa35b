import { type Clock, sleep } from "../../common/clock.ts";
import { errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import { retryDelayMs } from "./retry-delay.ts";

export interface BatchSenderOptions<Item> {
  /** What still has to reach the hub, in the order to send it. */
  pending(): readonly Item[];
  /** Calls back whenever something was added to it. */
  onPending(wake: () => void): void;
  idOf(item: Item): string;
  /** Sends some; what it settles is no longer pending. Throws when anything is left, `invalid_input` when refused. */
  send(items: readonly Item[], signal: AbortSignal): Promise<void>;
  /** Of the log's line: `announcing failed`. */
  failure: string;
  clock: Clock;
  logger: Logger;
  backoff: BackoffOptions;
  /** Most items in one request; default 200. */
  batchSize?: number | undefined;
}

const defaultBatchSize = 200;
/** One that the hub refuses as invalid is offered again: a newer hub may understand it. */
const refusedRetryMs = 3_600_000;

/**
 * Brings what is pending to the hub, in order and in batches, again and again until it has each. What the hub refuses
 * holds nobody up: it is found by halving the batch, and offered again an hour later.
 */
export class BatchSender<Item> {
  readonly #options: BatchSenderOptions<Item>;
  readonly #backoff: Backoff;
  readonly #wakeup = new Wakeup();
  /** Refused as invalid, and when to offer it again (monotonic ms). */
  readonly #refused = new Map<string, number>();
  readonly #maxBatch: number;
  /** Halved while a batch is refused, doubled by success. */
  #batch: number;

  constructor(options: BatchSenderOptions<Item>) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    this.#maxBatch = options.batchSize ?? defaultBatchSize;
    this.#batch = this.#maxBatch;
    options.onPending(() => this.#wakeup.wake());
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const items = this.#next();
      if (items.length === 0) {
        await this.#wakeup.wait(signal, this.#untilRefusedMs());
        continue;
      }
      try {
        await this.#options.send(items, signal);
        this.#backoff.reset();
        this.#batch = Math.min(this.#maxBatch, this.#batch * 2);
      } catch (error) {
        if (!signal.aborted) await this.#fail(items, error, signal);
      }
    }
  }

  async #fail(items: readonly Item[], error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, logger, failure, idOf } = this.#options;
    if (errorCodeOf(error) === "invalid_input") {
      this.#batch = Math.max(1, Math.floor(items.length / 2));
      const [first] = items;
      if (first === undefined || items.length > 1) return;
      this.#refused.set(idOf(first), clock.monotonicMs() + refusedRetryMs);
    }
    const delayMs = retryDelayMs(this.#backoff, error);
    logger.error(failure, { count: items.length, ...errorFields(error), retry_in_ms: delayMs });
    await sleep(delayMs, signal);
  }

  #next(): Item[] {
    const { clock, pending, idOf } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const [id, untilMs] of this.#refused) if (untilMs <= nowMs) this.#refused.delete(id);
    return pending()
      .filter((item) => !this.#refused.has(idOf(item)))
      .slice(0, this.#batch);
  }

  #untilRefusedMs(): number | undefined {
    if (this.#refused.size === 0) return undefined;
    return Math.max(1, Math.min(...this.#refused.values()) - this.#options.clock.monotonicMs());
  }
}
