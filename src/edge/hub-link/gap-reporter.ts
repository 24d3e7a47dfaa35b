import { type Clock, sleep } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { protocolVersion } from "../../common/protocol/announce.ts";
import type { GapReport } from "../../common/protocol/gap.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { GapQueue } from "./gap-queue.ts";
import type { HubClient } from "./hub-client.ts";

export interface GapReporterOptions {
  nodeId: string;
  queue: GapQueue;
  hub: Pick<HubClient, "reportGaps">;
  clock: Clock;
  logger: Logger;
  backoff?: BackoffOptions;
  /** Most gaps in one request; default 200. */
  batchSize?: number;
}

/** A hub that does not know of gaps yet is asked about as rarely as that. */
const defaultBackoff: BackoffOptions = { firstMs: 1000, maxMs: 300_000 };
const defaultBatchSize = 200;
/** One that the hub refuses as invalid is offered again: a newer hub may understand it. */
const refusedRetryMs = 3_600_000;

/** Tells the hub what was not recorded and why, oldest first, again and again until it has acknowledged each. */
export class GapReporter {
  readonly #options: GapReporterOptions;
  readonly #backoff: Backoff;
  readonly #wakeup = new Wakeup();
  /** Refused as invalid, and when to offer it again (monotonic ms). */
  readonly #refused = new Map<string, number>();
  readonly #maxBatch: number;
  /** Halved while a batch is refused, so that the one that is to blame is found; doubled by success. */
  #batch: number;

  constructor(options: GapReporterOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
    this.#maxBatch = options.batchSize ?? defaultBatchSize;
    this.#batch = this.#maxBatch;
    options.queue.onPending(() => this.#wakeup.wake());
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const gaps = this.#next();
      if (gaps.length === 0) {
        await this.#wakeup.wait(signal, this.#untilRefusedMs());
        continue;
      }
      try {
        await this.#report(gaps, signal);
        this.#backoff.reset();
        this.#batch = Math.min(this.#maxBatch, this.#batch * 2);
      } catch (error) {
        if (!signal.aborted) await this.#fail(gaps, error, signal);
      }
    }
  }

  async #report(gaps: ReturnType<GapQueue["pending"]>, signal: AbortSignal): Promise<void> {
    const { nodeId, hub, queue } = this.#options;
    const request: GapReport = { protocol_version: protocolVersion, gaps: [...gaps] };
    const { stored, known } = await hub.reportGaps(nodeId, request, signal);
    // An answer is about all of them or about none.
    if (stored + known !== gaps.length) {
      throw new AppError("unavailable", `the hub has ${stored + known} of ${gaps.length} gaps`);
    }
    await queue.markReported(gaps.map((gap) => gap.gap_id));
  }

  async #fail(gaps: ReturnType<GapQueue["pending"]>, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    if (errorCodeOf(error) === "invalid_input") {
      this.#batch = Math.max(1, Math.floor(gaps.length / 2));
      const [first] = gaps;
      if (first === undefined || gaps.length > 1) return;
      this.#refused.set(first.gap_id, clock.monotonicMs() + refusedRetryMs);
    }
    const asked = error instanceof AppError ? error.details.retryAfterMs : undefined;
    const delayMs = Math.max(this.#backoff.next(), typeof asked === "number" ? asked : 0);
    logger.error("reporting gaps failed", { gaps: gaps.length, ...errorFields(error), retry_in_ms: delayMs });
    await sleep(delayMs, signal);
  }

  #next(): ReturnType<GapQueue["pending"]> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, untilMs] of this.#refused) if (untilMs <= nowMs) this.#refused.delete(id);
    return this.#options.queue
      .pending()
      .filter((gap) => !this.#refused.has(gap.gap_id))
      .slice(0, this.#batch);
  }

  #untilRefusedMs(): number | undefined {
    if (this.#refused.size === 0) return undefined;
    return Math.max(1, Math.min(...this.#refused.values()) - this.#options.clock.monotonicMs());
  }
}
