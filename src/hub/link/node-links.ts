import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { linkCloseCodes } from "../../common/protocol/link.ts";
import type { LinkFrame } from "../../common/protocol/link-frame.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { SocketEvents } from "../http/web-socket.ts";
import { NodeLink } from "./node-link.ts";
import type { NodeLinkState } from "./remote-nodes.ts";

export interface NodeLinksOptions {
  softwareVersion: string;
  /** How often both ends ping. */
  pingSeconds: number;
  clock: Clock;
  logger: Logger;
  /** How long a node may take to say hello; default 10 s. */
  helloMs?: number;
  /** Most connections; default 2000. */
  maxLinks?: number;
}

/** Who hears what cameras give while they are watched, and which nodes come and go. */
export interface LiveSink {
  onFrame(nodeId: string, frame: LinkFrame): void;
  onLinked(nodeId: string): void;
  onLost(nodeId: string): void;
}

/** Of nodes that are gone; the oldest are forgotten. */
const maxRemembered = 10_000;
const goingAway = 1001;
const farewellMs = 1_000;

/** The nodes that are linked to this hub now, one connection each. */
export class NodeLinks implements AsyncDisposable {
  readonly #options: NodeLinksOptions;
  /** Every connection, with a hello or without. */
  readonly #all = new Set<NodeLink>();
  readonly #ready = new Map<string, NodeLink>();
  readonly #gone = new Map<string, { sinceMs: number; reason: string }>();
  #isClosing = false;
  #live: LiveSink | undefined;
  #onEmpty: () => void = () => undefined;

  constructor(options: NodeLinksOptions) {
    this.#options = options;
  }

  /** For a connection of that node. Throws `unavailable` when there are too many, and at the hub's end. */
  accept(nodeId: string, isAllowed: () => Promise<boolean>): SocketEvents {
    const { clock, logger, softwareVersion, pingSeconds, helloMs = 10_000, maxLinks = 2_000 } = this.#options;
    if (this.#isClosing) throw new AppError("unavailable", "the hub is stopping");
    if (this.#all.size >= maxLinks) throw new AppError("unavailable", `${maxLinks} nodes are linked already`);
    const link = new NodeLink({
      ...{ nodeId, softwareVersion, pingSeconds, helloMs, isAllowed, clock, logger },
      onReady: (ready) => this.#add(ready),
      onLive: (from, frame) => this.#live?.onFrame(from, frame),
      onClosed: (closed, reason) => this.#remove(closed, reason),
    });
    this.#all.add(link);
    return link;
  }

  /** Where what is watched goes. */
  feed(live: LiveSink): void {
    this.#live = live;
  }

  /** Takes back an `accept` whose connection never came to be. */
  forget(events: SocketEvents): void {
    this.#all.delete(events as NodeLink);
  }

  stateOf(nodeId: string): NodeLinkState {
    const link = this.#ready.get(nodeId);
    if (link) return { isConnected: true, sinceMs: link.openedAtMs, reason: undefined };
    const gone = this.#gone.get(nodeId);
    return { isConnected: false, sinceMs: gone?.sinceMs, reason: gone?.reason };
  }

  /** Throws `unavailable` for a node that is not linked, and what {@link NodeLink.request} throws. */
  async request(nodeId: string, method: string, params: unknown, deadlineMs: number): Promise<unknown> {
    const link = this.#ready.get(nodeId);
    if (!link)
      throw new AppError("unavailable", `node ${nodeId} is not linked to this hub: ${this.#whyNot(nodeId)}`);
    return link.request(method, params, deadlineMs);
  }

  /** Says goodbye to every node, so that each knows at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    if (this.#all.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      setTimeout(resolve, farewellMs);
    });
    for (const link of this.#all) link.end(goingAway, "the hub stops");
    await empty;
  }

  #add(link: NodeLink): void {
    const { logger } = this.#options;
    const { nodeId } = link;
    const older = this.#ready.get(nodeId);
    this.#ready.set(nodeId, link);
    this.#gone.delete(nodeId);
    logger.info("node linked", { node_id: nodeId });
    this.#live?.onLinked(nodeId);
    if (!older) return;
    logger.warn("a newer link of the same node takes the place of another", { node_id: nodeId });
    older.end(linkCloseCodes.replaced, "a newer connection of the same node took the place of this one");
  }

  #remove(link: NodeLink, reason: string): void {
    const { logger, clock } = this.#options;
    const { nodeId } = link;
    this.#all.delete(link);
    if (this.#all.size === 0) this.#onEmpty();
    if (this.#ready.get(nodeId) !== link) return;
    this.#ready.delete(nodeId);
    this.#gone.set(nodeId, { sinceMs: clock.wallMs(), reason });
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > maxRemembered && oldest !== undefined) this.#gone.delete(oldest);
    logger.info("node not linked any more", { node_id: nodeId, reason });
    this.#live?.onLost(nodeId);
  }

  #whyNot(nodeId: string): string {
    const gone = this.#gone.get(nodeId);
    if (!gone) return "it has not linked since the hub was started";
    return `not since ${formatWireTime(gone.sinceMs)}, ${gone.reason}`;
  }
}
