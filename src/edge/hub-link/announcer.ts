import type * as v from "valibot";
import { type Clock, sleep } from "../../common/clock.ts";
import { AppError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { type AnnouncedVideo, type AnnounceResult, protocolVersion } from "../../common/protocol/announce.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { AnnounceQueue } from "./announce-queue.ts";
import type { HubClient } from "./hub-client.ts";

export interface AnnouncerOptions {
  queue: AnnounceQueue;
  hub: Pick<HubClient, "announce">;
  clock: Clock;
  logger: Logger;
  backoff?: BackoffOptions;
  /** Most segments in one request; default 200. */
  batchSize?: number;
}

const defaultBackoff: BackoffOptions = { firstMs: 500, maxMs: 60_000 };
const defaultBatchSize = 200;
/** One that the hub refuses as invalid is offered again: a newer hub may understand it. */
const refusedRetryMs = 3_600_000;

/**
 * Tells the hub of archived segments, oldest first, again and again until it has acknowledged each. What an answer
 * does not acknowledge is not lost, and what the hub refuses holds nobody up.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #backoff: Backoff;
  readonly #wakeup = new Wakeup();
  /** Refused as invalid, and when to offer it again (monotonic ms). */
  readonly #refused = new Map<string, number>();
  readonly #maxBatch: number;
  /** Halved while a batch is refused, so that the one that is to blame is found; doubled by success. */
  #batch: number;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
    this.#maxBatch = options.batchSize ?? defaultBatchSize;
    this.#batch = this.#maxBatch;
    options.queue.onPending(() => this.#wakeup.wake());
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ids = this.#nextIds();
      if (ids.length === 0) {
        await this.#wakeup.wait(signal, this.#untilRefusedMs());
        continue;
      }
      try {
        const settled = await this.#announce(ids, signal);
        if (settled < ids.length) throw new AppError("unavailable", "the hub acknowledged only some of them");
        this.#backoff.reset();
        this.#batch = Math.min(this.#maxBatch, this.#batch * 2);
      } catch (error) {
        if (!signal.aborted) await this.#fail(ids, error, signal);
      }
    }
  }

  /** Returns how many of them are no longer pending. */
  async #announce(ids: readonly string[], signal: AbortSignal): Promise<number> {
    const { queue, hub } = this.#options;
    const loaded = await Promise.all(ids.map((id) => queue.load(id)));
    const videos = loaded.filter(
      (video): video is v.InferInput<typeof AnnouncedVideo> => video !== undefined,
    );
    let settled = ids.length - videos.length;
    if (videos.length === 0) return settled;
    const { results } = await hub.announce({ protocol_version: protocolVersion, videos }, signal);
    const resultOf = new Map(results.map((result) => [result.video_id, result]));
    for (const { video_id } of videos) {
      const result = resultOf.get(video_id);
      if (result && (await this.#settle(video_id, result))) settled++;
    }
    return settled;
  }

  async #settle(videoId: string, result: AnnounceResult): Promise<boolean> {
    const { queue, logger } = this.#options;
    if (result.result !== "conflict") {
      await queue.markAcknowledged(videoId);
      logger.debug("acknowledged", { video_id: videoId, result: result.result });
      return true;
    }
    await queue.markConflict(videoId, result);
    logger.error("the hub has something else under this id or path", {
      video_id: videoId,
      announced_sha256: result.announced_sha256,
      known_sha256: result.known_sha256,
      detail: result.detail,
    });
    return true;
  }

  async #fail(ids: readonly string[], error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    if (errorCodeOf(error) === "invalid_input") {
      this.#batch = Math.max(1, Math.floor(ids.length / 2));
      const [first] = ids;
      if (first === undefined || ids.length > 1) return;
      this.#refused.set(first, clock.monotonicMs() + refusedRetryMs);
    }
    const asked = error instanceof AppError ? error.details.retryAfterMs : undefined;
    const delayMs = Math.max(this.#backoff.next(), typeof asked === "number" ? asked : 0);
    logger.error("announcing failed", { videos: ids.length, ...errorFields(error), retry_in_ms: delayMs });
    await sleep(delayMs, signal);
  }

  #nextIds(): string[] {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, untilMs] of this.#refused) if (untilMs <= nowMs) this.#refused.delete(id);
    return this.#options.queue
      .pending()
      .filter((id) => !this.#refused.has(id))
      .slice(0, this.#batch);
  }

  #untilRefusedMs(): number | undefined {
    if (this.#refused.size === 0) return undefined;
    return Math.max(1, Math.min(...this.#refused.values()) - this.#options.clock.monotonicMs());
  }
}
