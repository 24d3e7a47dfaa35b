import { type Clock, sleep } from "../../common/clock.ts";
import { describeError, errorCodeOf } from "../../common/errors.ts";
import { aborted } from "../../common/lifecycle.ts";
import { LinkChannel } from "../../common/link-channel.ts";
import type { Logger } from "../../common/log.ts";
import {
  type Hello,
  type HubMessage,
  hubMessages,
  linkCloseCodes,
  linkVersion,
  type Welcome,
} from "../../common/protocol/link.ts";
import { plainTextOf } from "../../common/protocol/wire.ts";
import { Backoff, type BackoffOptions } from "../../common/retry.ts";
import type { LinkCommands } from "./link-commands.ts";
import { type LinkTarget, type OpenLink, openLink } from "./link-connection.ts";
import { LinkRequests } from "./link-requests.ts";
import { LiveFeed } from "./live-feed.ts";

export interface HubLinkOptions {
  nodeId: string;
  about: () => Pick<Hello, "software_version" | "config_version">;
  commands: LinkCommands;
  clock: Clock;
  logger: Logger;
  backoff?: BackoffOptions;
  /** For the connection, and again for the hub's welcome; default 15 s. */
  handshakeMs?: number;
}

export interface LinkState {
  isWanted: boolean;
  isConnected: boolean;
  /** Wall time of the last change between connected and not; undefined before the first connection. */
  sinceMs: number | undefined;
  /** Why it is not connected; undefined while it is, and before the first try has ended. */
  lastError: string | undefined;
  /** How often another process that speaks for this node took its place, since the start. */
  displaced: number;
}

/** Nearly all of a wait is random: a hundred nodes do not come back at once to a hub that was restarted. */
const defaultBackoff: BackoffOptions = { firstMs: 2_000, maxMs: 60_000, jitter: 0.9 };
const defaultHandshakeMs = 15_000;
/** A connection that lasted so long was good: the next try after it comes soon. */
const stableMs = 30_000;
/** Another process speaks for this node: two that push each other out again and again help nobody. */
const replacedWaitMs = 60_000;

/**
 * Keeps one connection to the hub, on which the hub asks and this node answers. It is opened from here, so it works
 * behind NAT. Recording knows nothing of it: a hub that hangs or floods costs the connection, and no more.
 */
export class HubLink {
  readonly #options: HubLinkOptions;
  readonly #backoff: Backoff;
  #displaced = 0;
  #state: Omit<LinkState, "isWanted" | "displaced"> = {
    isConnected: false,
    sinceMs: undefined,
    lastError: undefined,
  };
  #target: LinkTarget | undefined;
  /** Ends the connection, or the wait for the next. */
  #current = new AbortController();
  /** Ends a wait that only an outage is the reason of. */
  #wait: AbortController | undefined;

  constructor(options: HubLinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
  }

  state(): LinkState {
    return { isWanted: this.#target !== undefined, ...this.#state, displaced: this.#displaced };
  }

  /** The hub to link to from now on; undefined for none. What stands is ended. */
  connectTo(target: LinkTarget | undefined): void {
    this.#target = target;
    this.#backoff.reset();
    this.#current.abort();
  }

  /** The hub answers again after an outage: the next try need not wait for its turn. */
  hubIsBack(): void {
    this.#backoff.reset();
    this.#wait?.abort();
  }

  /** Until aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      this.#current = new AbortController();
      const either = AbortSignal.any([signal, this.#current.signal]);
      if (!this.#target) {
        this.#state = { ...this.#state, lastError: undefined };
        await aborted(either);
        continue;
      }
      const startedMs = clock.monotonicMs();
      const wasConnected = () => this.#state.isConnected;
      let end: { code: string; reason: string; waitMs?: number };
      try {
        end = await this.#connectOnce(this.#target, either);
      } catch (error) {
        end = { code: errorCodeOf(error), reason: describeError(error) };
      }
      const wasUp = wasConnected();
      const isNews = wasUp || end.reason !== this.#state.lastError;
      this.#state = {
        isConnected: false,
        sinceMs: wasUp ? clock.wallMs() : this.#state.sinceMs,
        lastError: plainTextOf(end.reason, 500),
      };
      if (either.aborted) continue;
      if (wasUp && clock.monotonicMs() - startedMs >= stableMs) this.#backoff.reset();
      const waitMs = Math.max(this.#backoff.next(), end.waitMs ?? 0);
      // The same again, every minute, tells nothing; status has it.
      logger[isNews ? "warning" : "debug"](
        wasUp ? "the link to the hub is lost" : "there is no link to the hub",
        {
          code: end.code,
          error: end.reason,
          retry_in_ms: waitMs,
        },
      );
      this.#wait = end.waitMs === undefined ? new AbortController() : undefined;
      await sleep(waitMs, this.#wait === undefined ? either : AbortSignal.any([either, this.#wait.signal]));
    }
  }

  /** From connecting to the end of the connection. Throws what `openLink` throws, and `unavailable` for a bad welcome. */
  async #connectOnce(
    target: LinkTarget,
    signal: AbortSignal,
  ): Promise<{ code: string; reason: string; waitMs?: number }> {
    const { nodeId, handshakeMs = defaultHandshakeMs } = this.#options;
    const link = await openLink(target, nodeId, { timeoutMs: handshakeMs, signal });
    const gone = new AbortController();
    const channel = this.#converse(link, gone.signal);
    const leave = () => channel.end(linkCloseCodes.leaving, "the node closes the link");
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    const { code, reason } = await link.closed;
    signal.removeEventListener("abort", leave);
    channel.stop();
    gone.abort();
    if (code === linkCloseCodes.replaced) {
      this.#displaced++;
      const told = "another livecam-edge linked with this node's id; two must not have the same";
      return { code: "conflict", reason: told, waitMs: replacedWaitMs };
    }
    const told =
      reason === "" ? `the connection broke (${code})` : `the hub closed the link: ${reason} (${code})`;
    return { code: "unavailable", reason: channel.endReason ?? told };
  }

  /** Says hello and does what is asked until the connection is gone. */
  #converse(link: OpenLink, gone: AbortSignal): LinkChannel<typeof hubMessages> {
    const { nodeId, about, commands, clock, logger, handshakeMs = defaultHandshakeMs } = this.#options;
    const channel = new LinkChannel({
      ...{ socket: link.socket, schemas: hubMessages, clock },
      onMessage: (message) => onMessage(message),
      onFrame: () =>
        channel.refuse({ type: "error", code: "unexpected", detail: "a node takes no binary messages" }),
      onError: ({ code, detail }) =>
        logger.warning("the hub could not understand this node", { code, detail }),
    });
    const live = new LiveFeed({ watch: commands.watch, sink: channel, logger });
    gone.addEventListener("abort", () => live.stopAll(), { once: true });
    const requests = new LinkRequests({ commands, logger, live, sink: channel, signal: gone });
    const late = setTimeout(
      () => channel.end(linkCloseCodes.bad_hello, `no welcome within ${handshakeMs} ms`),
      handshakeMs,
    );
    gone.addEventListener("abort", () => clearTimeout(late), { once: true });
    let isWelcome = false;
    const onMessage = (message: Extract<HubMessage, { type: "welcome" | "request" }>) => {
      if (message.type === "request" && isWelcome) {
        logger.debug("the hub asks", { method: message.method, id: message.id });
        void requests.handle(message);
      } else if (message.type === "welcome" && !isWelcome) {
        isWelcome = true;
        clearTimeout(late);
        channel.keepAlive(message.ping_seconds * 1000);
        this.#connected(message);
      } else {
        const detail = isWelcome ? "welcome was said before" : "a request before the welcome";
        channel.refuse({ type: "error", code: "unexpected", detail });
      }
    };
    const hello: Hello = {
      type: "hello",
      link_version: linkVersion,
      node_id: nodeId,
      ...about(),
      methods: [...commands.methods],
    };
    channel.send(hello);
    link.onData((data) => channel.receive(data));
    return channel;
  }

  #connected({ link_version, software_version }: Pick<Welcome, "link_version" | "software_version">): void {
    const { clock, logger } = this.#options;
    this.#state = { isConnected: true, sinceMs: clock.wallMs(), lastError: undefined };
    logger.info("linked to the hub", { link_version, hub_version: software_version });
  }
}
