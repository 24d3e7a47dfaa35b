import type { Clock } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import { LinkChannel } from "../../common/link-channel.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import {
  type Hello,
  linkCloseCodes,
  linkVersion,
  type NodeMessage,
  nodeMessages,
  type Welcome,
} from "../../common/protocol/link.ts";
import type { LinkFrame } from "../../common/protocol/link-frame.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { HubSocket, SocketEvents } from "../http/web-socket.ts";
import { errorOfNode } from "./node-problem.ts";

export interface NodeLinkOptions {
  nodeId: string;
  softwareVersion: string;
  /** How often both ends ping, and the key is looked at again. */
  pingSeconds: number;
  /** How long the node may take to say hello. */
  helloMs: number;
  /** Whether its key is still good. */
  isAllowed: () => Promise<boolean>;
  onReady: (link: NodeLink) => void;
  /** A part of what a camera gives that is watched. */
  onLive: (nodeId: string, frame: LinkFrame) => void;
  onClosed: (link: NodeLink, reason: string) => void;
  clock: Clock;
  logger: Logger;
}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: AppError): void;
}

/** People and pages that ask at once; more of them than that is a fault. */
const maxPending = 32;
/** So that the node's own words about its deadline come first. */
const graceMs = 1_000;

/** The hub's end of one node's connection. */
export class NodeLink implements SocketEvents {
  readonly #options: NodeLinkOptions;
  readonly #pending = new Map<string, Pending>();
  #channel: LinkChannel<typeof nodeMessages> | undefined;
  #hello: Hello | undefined;
  #count = 0;
  #helloTimer: ReturnType<typeof setTimeout> | undefined;
  #recheckTimer: ReturnType<typeof setInterval> | undefined;
  #openedAtMs = 0;

  constructor(options: NodeLinkOptions) {
    this.#options = options;
  }

  get nodeId(): string {
    return this.#options.nodeId;
  }

  /** Wall time of its hello. */
  get openedAtMs(): number {
    return this.#openedAtMs;
  }

  open(socket: HubSocket): void {
    const { clock, logger, nodeId, helloMs, isAllowed, pingSeconds } = this.#options;
    const channel = new LinkChannel({
      ...{ socket, schemas: nodeMessages, clock },
      onMessage: (message) => this.#onMessage(message),
      onFrame: (frame) => this.#onFrame(frame),
      onError: ({ code, detail }) =>
        logger.warn("a node could not understand this hub", { node_id: nodeId, code, detail }),
    });
    this.#channel = channel;
    this.#helloTimer = setTimeout(
      () => channel.end(linkCloseCodes.bad_hello, `no hello within ${helloMs} ms`),
      helloMs,
    );
    this.#recheckTimer = setInterval(async () => {
      // A database that cannot be asked now is no reason to cut nodes off.
      const isGood = await isAllowed().catch(() => true);
      if (!isGood) channel.end(linkCloseCodes.unauthorized, "the key is not good any more");
    }, pingSeconds * 1000);
  }

  message(data: string | Uint8Array<ArrayBuffer>): void {
    this.#channel?.receive(data);
  }

  close(code: number, reason: string): void {
    clearTimeout(this.#helloTimer);
    clearInterval(this.#recheckTimer);
    this.#channel?.stop();
    const { nodeId, onClosed } = this.#options;
    const told = reason === "" ? `the connection broke (${code})` : `${reason} (${code})`;
    onClosed(this, this.#channel?.endReason ?? told);
    const lost = new AppError(
      "unavailable",
      `the link to node ${nodeId} broke meanwhile; what was asked may have been done`,
    );
    for (const { reject } of this.#pending.values()) reject(lost);
    this.#pending.clear();
  }

  failed(error: Error): void {
    const { logger, nodeId } = this.#options;
    logger.error("the link to a node failed", { node_id: nodeId, ...errorFields(error) });
    this.#channel?.end(1011, "internal error");
  }

  /** Ends the connection and tells the node why. */
  end(code: number, reason: string): void {
    this.#channel?.end(code, reason);
  }

  can(method: string): boolean {
    return this.#hello?.methods.includes(method) ?? false;
  }

  /**
   * What the node answers: a result or a frame. Throws `not_supported`, `no_answer`, `unavailable` (the link broke, or
   * too much is asked at once), and what the node says.
   */
  request(method: string, params: unknown, deadlineMs: number): Promise<unknown> {
    const { nodeId } = this.#options;
    const channel = this.#channel;
    if (!channel || !this.can(method)) {
      const release = this.#hello?.software_version ?? "unknown";
      throw new AppError("not_supported", `node ${nodeId} cannot do this: its livecam-edge is ${release}`);
    }
    if (this.#pending.size >= maxPending) {
      throw new AppError("unavailable", `node ${nodeId} has ${maxPending} requests to answer already`);
    }
    const id = String(this.#count++);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      const detail = `node ${nodeId} did not answer within ${deadlineMs / 1000} s; what was asked may have been done`;
      reject(new AppError("no_answer", detail));
    }, deadlineMs + graceMs);
    this.#pending.set(id, { resolve, reject });
    try {
      channel.send({ type: "request", id, method, params, deadline_ms: deadlineMs });
    } catch (error) {
      reject(error);
    }
    return promise.finally(() => {
      clearTimeout(timer);
      this.#pending.delete(id);
    });
  }

  #onMessage(message: Extract<NodeMessage, { type: "hello" | "response" }>): void {
    if (message.type === "hello") {
      this.#onHello(message);
      return;
    }
    // One that comes after its deadline has nobody to go to.
    const pending = this.#pending.get(message.id);
    if (message.problem) pending?.reject(errorOfNode(message.problem, this.nodeId));
    else pending?.resolve(message.result);
  }

  #onFrame(frame: LinkFrame): void {
    if ("id" in frame.header) this.#pending.get(frame.header.id)?.resolve(frame);
    else if (this.#hello) this.#options.onLive(this.nodeId, frame);
  }

  #onHello(hello: Hello): void {
    const { nodeId, softwareVersion, pingSeconds, onReady, clock } = this.#options;
    const channel = this.#channel;
    if (!channel) return;
    if (this.#hello) {
      channel.refuse({ type: "error", code: "unexpected", detail: "hello was said before" });
      return;
    }
    if (hello.node_id !== nodeId) {
      channel.end(linkCloseCodes.bad_hello, `this is the link of ${nodeId}, not of ${hello.node_id}`);
      return;
    }
    clearTimeout(this.#helloTimer);
    this.#hello = hello;
    this.#openedAtMs = clock.wallMs();
    const welcome: Welcome = {
      type: "welcome",
      link_version: Math.min(linkVersion, hello.link_version),
      software_version: softwareVersion,
      server_time: formatWireTime(this.#openedAtMs),
      ping_seconds: pingSeconds,
    };
    channel.send(welcome);
    channel.keepAlive(pingSeconds * 1000);
    onReady(this);
  }
}
