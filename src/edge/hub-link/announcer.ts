import type * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { type AnnouncedVideo, type AnnounceResult, protocolVersion } from "../../common/protocol/announce.ts";
import type { BackoffOptions } from "../../common/retry.ts";
import type { AnnounceQueue } from "./announce-queue.ts";
import { BatchSender } from "./batch-sender.ts";
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

/**
 * Tells the hub of archived segments, oldest first, again and again until it has acknowledged each. What an answer
 * does not acknowledge is not lost.
 */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #sender: BatchSender<string>;

  constructor(options: AnnouncerOptions) {
    const { queue, clock, logger, backoff = defaultBackoff, batchSize } = options;
    this.#options = options;
    this.#sender = new BatchSender({
      pending: () => queue.pending(),
      onPending: (wake) => queue.onPending(wake),
      idOf: (videoId) => videoId,
      send: (videoIds, signal) => this.#announce(videoIds, signal),
      failure: "announcing failed",
      ...{ clock, logger, backoff, batchSize },
    });
  }

  /** Until aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return this.#sender.run(signal);
  }

  async #announce(videoIds: readonly string[], signal: AbortSignal): Promise<void> {
    const { queue, hub, logger } = this.#options;
    const loaded = await Promise.all(videoIds.map((id) => queue.load(id)));
    const videos = loaded.filter(
      (video): video is v.InferInput<typeof AnnouncedVideo> => video !== undefined,
    );
    if (videos.length === 0) return;
    const { results } = await hub.announce({ protocol_version: protocolVersion, videos }, signal);
    const resultOf = new Map(results.map((result) => [result.video_id, result]));
    const answered = videos.flatMap(({ video_id }) => resultOf.get(video_id) ?? []);
    const acknowledged = answered.filter(({ result }) => result !== "conflict");
    await queue.markAcknowledged(acknowledged.map(({ video_id }) => video_id));
    for (const { video_id, result } of acknowledged) logger.debug("acknowledged", { video_id, result });
    for (const result of answered) if (result.result === "conflict") await this.#settleConflict(result);
    if (answered.length < videos.length) {
      throw new AppError("unavailable", "the hub acknowledged only some of them");
    }
  }

  async #settleConflict(result: AnnounceResult): Promise<void> {
    const { queue, logger } = this.#options;
    await queue.markConflict(result.video_id, result);
    logger.error("the hub has something else under this id or path", {
      video_id: result.video_id,
      announced_sha256: result.announced_sha256,
      known_sha256: result.known_sha256,
      detail: result.detail,
    });
  }
}
