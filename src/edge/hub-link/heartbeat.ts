import { type Clock, earliestWallMs, sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { inForce, type Live } from "../../common/live-setting.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { HeartbeatRequest, RegisterRequest } from "../../common/protocol/node.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import { Wakeup } from "../../common/wakeup.ts";
import type { HubClient } from "./hub-client.ts";

export interface HeartbeatOptions {
  nodeId: string;
  hub: Pick<HubClient, "register" | "heartbeat">;
  registration: () => RegisterRequest;
  /** The node as it is now. */
  collect: () => Promise<HeartbeatRequest>;
  /** The hub has answered this report. */
  onTold?: (report: HeartbeatRequest) => void;
  /** The hub answers again after it did not. */
  onBack?: () => void;
  /** Called with what the hub says its archive is. */
  onArchiveId: (archiveId: string) => Promise<void>;
  /** Longest time between two heartbeats; the hub may ask for more of them. */
  intervalMs: Live<number>;
  clock: Clock;
  logger: Logger;
  backoff?: BackoffOptions;
}

export interface HubLinkStatus {
  registered: boolean;
  /** Wall time of the last heartbeat that the hub answered. */
  lastHeartbeatMs: number | undefined;
  /** Why the last exchange failed; undefined after one that did not. */
  lastError: string | undefined;
  /** How far this clock is ahead of the hub's; undefined until an answer came quickly enough to tell. */
  aheadOfHubMs: number | undefined;
  /** How long it took to answer the last heartbeat. */
  responseMs: number | undefined;
}

/** Those that are asked for between two regular ones keep this distance. */
const leastDistanceMs = 1000;
/** An answer that took longer says too little about the hub's clock. */
const clockRoundTripMs = 2000;

/**
 * Introduces the node to its hub and reports how it is, for as long as it runs. Apart from the announces, with its
 * own connection and deadline, so that a backlog never makes a living node look dead.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #backoff: Backoff;
  /** What the hub asks for at least. */
  #askedMs: number | undefined;
  readonly #wakeup = new Wakeup();
  /** How often what the registration says has changed, and the change that the hub was last told of. */
  #changes = 0;
  #introducedChange: number | undefined;
  #status: HubLinkStatus = {
    ...{ registered: false, lastHeartbeatMs: undefined, lastError: undefined },
    ...{ aheadOfHubMs: undefined, responseMs: undefined },
  };

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const intervalMs = inForce(options.intervalMs);
    // Never slower than the regular beat: a hub that comes back should see the node at once.
    this.#backoff = new Backoff(
      options.backoff ?? { firstMs: Math.min(1000, intervalMs), maxMs: intervalMs },
    );
  }

  status(): HubLinkStatus {
    return this.#status;
  }

  /** There is news: the next heartbeat does not wait for its time. A hub that is away is not asked more often. */
  beatSoon(): void {
    if (this.#status.lastError === undefined) this.#wakeup.wake();
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      let delayMs: number;
      let distanceMs = 0;
      try {
        const isBack = this.#status.lastError !== undefined;
        await this.#beat(signal);
        if (isBack) {
          logger.info("the hub is told again how this node is");
          this.#options.onBack?.();
        }
        this.#backoff.reset();
        const intervalMs = Math.min(
          inForce(this.#options.intervalMs),
          this.#askedMs ?? Number.POSITIVE_INFINITY,
        );
        delayMs = Math.max(0, intervalMs - (clock.monotonicMs() - startedMs));
        distanceMs = Math.min(intervalMs, leastDistanceMs);
      } catch (error) {
        if (signal.aborted) return;
        const asked = error instanceof AppError ? error.details.retryAfterMs : undefined;
        delayMs = Math.max(this.#backoff.next(), typeof asked === "number" ? asked : 0);
        const about = errorFields(error);
        // The same again, with every heartbeat of an outage, tells nothing; status has it.
        logger[about.error === this.#status.lastError ? "debug" : "error"](
          "the hub could not be told how this node is",
          { ...about, retry_in_ms: delayMs },
        );
        this.#status = { ...this.#status, lastError: about.error };
      }
      await this.#wakeup.wait(signal, delayMs);
      await sleep(Math.max(0, distanceMs - (clock.monotonicMs() - startedMs)), signal);
    }
  }

  /** Registers again, and reports, at once: what the hub knows of this node is not so any more. */
  introduce(): void {
    this.#backoff.reset();
    this.#changes++;
    this.#wakeup.wake();
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { nodeId, hub, collect, clock } = this.#options;
    const isIntroduced = this.#status.registered && this.#introducedChange === this.#changes;
    if (!isIntroduced) await this.#register(signal);
    let report = await collect();
    let askedMs = clock.monotonicMs();
    let answer = await hub.heartbeat(nodeId, report, signal);
    if (!answer.registered) {
      // The hub was restored from before it knew this node.
      await this.#register(signal);
      report = await collect();
      askedMs = clock.monotonicMs();
      answer = await hub.heartbeat(nodeId, report, signal);
    }
    const responseMs = clock.monotonicMs() - askedMs;
    const aheadOfHubMs = this.#aheadOf(answer.server_time, responseMs);
    if (answer.registered) this.#options.onTold?.(report);
    await this.#learn(answer.archive_id);
    this.#status = {
      registered: answer.registered,
      lastHeartbeatMs: clock.wallMs(),
      lastError: undefined,
      aheadOfHubMs: aheadOfHubMs ?? this.#status.aheadOfHubMs,
      responseMs,
    };
  }

  /** By the middle of a request. A hub that does not know the time says nothing about ours. */
  #aheadOf(hubWallMs: number, roundTripMs: number): number | undefined {
    if (roundTripMs > clockRoundTripMs || hubWallMs < earliestWallMs) return undefined;
    return Math.round(this.#options.clock.wallMs() - roundTripMs / 2 - hubWallMs);
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { hub, registration, logger } = this.#options;
    const change = this.#changes;
    const answer = await hub.register(registration(), signal);
    this.#introducedChange = change;
    await this.#learn(answer.archive_id);
    const { heartbeat_interval_seconds: asked } = answer;
    this.#askedMs = asked > 0 ? asked * 1000 : undefined;
    this.#status = { ...this.#status, registered: true };
    logger.info("registered at the hub", { archive_id: answer.archive_id });
  }

  async #learn(archiveId: string | null): Promise<void> {
    if (archiveId !== null) await this.#options.onArchiveId(archiveId);
  }
}
