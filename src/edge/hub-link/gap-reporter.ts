import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { protocolVersion } from "../../common/protocol/announce.ts";
import type { GapReport } from "../../common/protocol/gap.ts";
import type { BackoffOptions } from "../../common/retry.ts";
import { BatchSender } from "./batch-sender.ts";
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

type Gap = ReturnType<GapQueue["pending"]>[number];

/** A hub that does not know of gaps yet is asked about as rarely as that. */
const defaultBackoff: BackoffOptions = { firstMs: 1000, maxMs: 60_000 };

/** Tells the hub what was not recorded and why, oldest first, again and again until it has acknowledged each. */
export class GapReporter {
  readonly #options: GapReporterOptions;
  readonly #sender: BatchSender<Gap>;

  constructor(options: GapReporterOptions) {
    const { queue, clock, logger, backoff = defaultBackoff, batchSize } = options;
    this.#options = options;
    this.#sender = new BatchSender({
      pending: () => queue.pending(),
      onPending: (wake) => queue.onPending(wake),
      idOf: (gap) => gap.gap_id,
      send: (gaps, signal) => this.#report(gaps, signal),
      failure: "reporting gaps failed",
      ...{ clock, logger, backoff, batchSize },
    });
  }

  /** Until aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return this.#sender.run(signal);
  }

  async #report(gaps: readonly Gap[], signal: AbortSignal): Promise<void> {
    const { nodeId, hub, queue } = this.#options;
    const request: GapReport = { protocol_version: protocolVersion, gaps: [...gaps] };
    const { stored, known } = await hub.reportGaps(nodeId, request, signal);
    // An answer is about all of them or about none.
    if (stored + known !== gaps.length) {
      throw new AppError("unavailable", `the hub has ${stored + known} of ${gaps.length} gaps`);
    }
    await queue.markReported(gaps.map((gap) => gap.gap_id));
  }
}
