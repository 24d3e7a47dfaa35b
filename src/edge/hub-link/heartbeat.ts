import type { Clock } from "../../common/clock.ts";
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
}

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
  #status: HubLinkStatus = { registered: false, lastHeartbeatMs: undefined, lastError: undefined };

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

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      let delayMs: number;
      try {
        await this.#beat(signal);
        this.#backoff.reset();
        const intervalMs = Math.min(
          inForce(this.#options.intervalMs),
          this.#askedMs ?? Number.POSITIVE_INFINITY,
        );
        delayMs = Math.max(0, intervalMs - (clock.monotonicMs() - startedMs));
      } catch (error) {
        if (signal.aborted) return;
        const asked = error instanceof AppError ? error.details.retryAfterMs : undefined;
        delayMs = Math.max(this.#backoff.next(), typeof asked === "number" ? asked : 0);
        this.#status = { ...this.#status, lastError: errorFields(error).error };
        logger.error("the hub could not be told how this node is", {
          ...errorFields(error),
          retry_in_ms: delayMs,
        });
      }
      await this.#wakeup.wait(signal, delayMs);
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
    let answer = await hub.heartbeat(nodeId, await collect(), signal);
    if (!answer.registered) {
      // The hub was restored from before it knew this node.
      await this.#register(signal);
      answer = await hub.heartbeat(nodeId, await collect(), signal);
    }
    await this.#learn(answer.archive_id);
    this.#status = { registered: answer.registered, lastHeartbeatMs: clock.wallMs(), lastError: undefined };
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
