import { type Clock, sleep } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { protocolVersion } from "../../common/protocol/announce.ts";
import type { BookmarkResponse } from "../../common/protocol/bookmark.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { AcknowledgedJournal } from "./acknowledged-journal.ts";
import type { HubClient } from "./hub-client.ts";
import { replay } from "./replay.ts";
import { retryDelayMs } from "./retry-delay.ts";

export interface ReconcilerOptions {
  nodeId: string;
  journal: AcknowledgedJournal;
  hub: Pick<HubClient, "announce" | "reportGaps" | "moveBookmark">;
  clock: Clock;
  logger: Logger;
  backoff?: BackoffOptions;
  /** How often to look at the bookmark while there is nothing new; default 30 s. */
  checkMs?: number;
  /** How long what is acknowledged is gathered before the bookmark is moved behind it; default 1 s. */
  settleMs?: number;
  /** Before everything is told again: at most `firstMs` at first, more when it has to be again and again. */
  spread?: BackoffOptions;
  /** Most entries told again in one go. */
  batchSize?: number;
}

const defaultBackoff: BackoffOptions = { firstMs: 1000, maxMs: 60_000 };
const defaultCheckMs = 30_000;
const defaultSettleMs = 1000;
/** Anywhere in it, so that a hundred nodes do not all come at once. Two edges that take turns under one id calm down. */
const defaultSpread: BackoffOptions = { firstMs: 60_000, maxMs: 3_600_000, jitter: 1 };
/** A bookmark that has stayed for so long is nobody else's. */
const steadyMs = 600_000;
/** A hub of an older release is asked as rarely as that whether it is a newer one. */
const unsupportedMs = 300_000;
/** Half of what is announced at once: it is not urgent. */
const defaultBatchSize = 100;

/**
 * Notices that the hub was restored from an older catalog, and tells it again what it lacks.
 *
 * The node keeps a bookmark in the catalog (see protocol/bookmark.ts), and moves it behind what was acknowledged, soon
 * after that. While the hub says it is where it was put, nothing is lost. When it is elsewhere, or when it is not
 * certain (at the start, after a failed exchange), everything in the journal behind the place that the hub says is told
 * again. What the hub has, it knows by its id: telling it twice changes nothing.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #backoff: Backoff;
  readonly #spread: Backoff;
  readonly #wakeup = new Wakeup();
  /** Where the hub said that the bookmark is; undefined while that is not certain. */
  #confirmed: BookmarkResponse | undefined;
  /** Since when, by the monotonic clock, it was never found elsewhere. */
  #steadySinceMs: number;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
    this.#spread = new Backoff(options.spread ?? defaultSpread);
    this.#steadySinceMs = options.clock.monotonicMs();
    options.journal.onNoted(() => this.#wakeup.wake());
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { settleMs = defaultSettleMs, checkMs = defaultCheckMs } = this.#options;
    while (!signal.aborted) {
      const waitMs = await this.#round(signal);
      if (waitMs > 0) await sleep(waitMs, signal);
      else if (this.#confirmed !== undefined) {
        // A third of it by chance: nodes that started together do not ask together.
        await this.#wakeup.wait(signal, checkMs * (1 - Math.random() / 3));
        await sleep(settleMs, signal);
      }
    }
  }

  /** How long to wait before the next, in ms, where it failed. */
  async #round(signal: AbortSignal): Promise<number> {
    const { logger } = this.#options;
    try {
      await this.#reconcile(signal);
      this.#backoff.reset();
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      if (errorCodeOf(error) === "not_found") {
        logger.debug("this hub keeps no bookmarks");
        return unsupportedMs;
      }
      const delayMs = retryDelayMs(this.#backoff, error);
      if (errorCodeOf(error) === "conflict") {
        logger.info("the hub is asked anew what it has", { ...errorFields(error), in_ms: delayMs });
        return delayMs;
      }
      logger.error("what the hub has could not be compared", { ...errorFields(error), retry_in_ms: delayMs });
      return delayMs;
    }
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const { journal, clock } = this.#options;
    const before = this.#confirmed;
    // Not certain before the hub has answered to the end.
    this.#confirmed = undefined;
    const at = before ?? (await this.#tellAgain(signal));
    const to = (await journal.mark()) ?? at.bookmark;
    const found = await this.#move(at, to, signal);
    if (found.session !== at.session || found.bookmark !== to) {
      this.#steadySinceMs = clock.monotonicMs();
      throw new AppError(
        "unavailable",
        "the hub was started again since, maybe with a catalog that was restored",
      );
    }
    this.#confirmed = found;
    if (clock.monotonicMs() - this.#steadySinceMs > steadyMs) this.#spread.reset();
  }

  /** Everything behind the hub's bookmark; returns where it is then. */
  async #tellAgain(signal: AbortSignal): Promise<BookmarkResponse> {
    const { journal, nodeId, hub, clock, logger, batchSize = defaultBatchSize } = this.#options;
    let at = await this.#move(undefined, null, signal);
    const newest = await journal.mark();
    if (newest === null || at.bookmark === newest) return at;
    if (await isMoreThan(batchSize, journal.entriesAfter(at.bookmark))) {
      const delayMs = this.#spread.next();
      logger.warning("much of what the hub had acknowledged is to be told again", { in_ms: delayMs });
      await sleep(delayMs, signal);
    }
    const onPassed = async (bookmark: string) => {
      const { session } = at;
      at = await this.#move(at, bookmark, signal);
      if (at.bookmark === bookmark && at.session === session) return;
      throw new AppError(
        "unavailable",
        "the hub was started again meanwhile, or another edge has this node's id",
      );
    };
    const entries = journal.entriesAfter(at.bookmark);
    const tally = await replay(entries, { nodeId, hub, clock, logger, batchSize, onPassed }, signal);
    const level = tally.stored + tally.refused > 0 ? "warning" : "info";
    logger[level]("the hub was told again what it had acknowledged", { ...tally });
    return at;
  }

  /** Without `at`, and where it is there already, only asks. */
  async #move(
    at: BookmarkResponse | undefined,
    to: string | null,
    signal: AbortSignal,
  ): Promise<BookmarkResponse> {
    const { hub, nodeId } = this.#options;
    const move =
      at && to !== null && to !== at.bookmark ? { session: at.session, from: at.bookmark, to } : undefined;
    return hub.moveBookmark(nodeId, { protocol_version: protocolVersion, ...(move && { move }) }, signal);
  }
}

async function isMoreThan(limit: number, items: AsyncIterable<unknown>): Promise<boolean> {
  let count = 0;
  for await (const _ of items) if (++count > limit) return true;
  return false;
}
