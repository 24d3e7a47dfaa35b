import type { Clock } from "./clock.ts";
import { AppError } from "./errors.ts";
import {
  type LinkError,
  type LinkMessage,
  linkCloseCodes,
  linkLimits,
  parseLinkMessage,
} from "./protocol/link.ts";
import { type LinkFrame, parseLinkFrame } from "./protocol/link-frame.ts";

/** An open WebSocket, of either end. */
export interface LinkSocket {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Bytes handed to `send` that have not left yet. */
  bufferedBytes(): number;
  /** Says goodbye; the other end may not hear it. */
  close(code: number, reason: string): void;
  /** Ends the connection now. */
  terminate(): void;
}

export interface LinkChannelOptions<S extends Readonly<Record<string, import("valibot").GenericSchema>>> {
  socket: LinkSocket;
  /** What the other end may say. */
  schemas: S;
  onMessage: (message: Exclude<LinkMessage<S>, { type: "ping" | "pong" | "error" }>) => void;
  onFrame: (frame: LinkFrame) => void;
  /** The other end could not understand something of ours. */
  onError: (error: LinkError) => void;
  clock: Clock;
  /** Messages a second, on average; ten times as many at once. Default 200. */
  maxMessagesPerSecond?: number;
}

const maxGarbage = 20;
const maxSilentPings = 3;
/** What a slow connection may keep waiting: one picture of any size, and some texts. */
const maxWaitingFrameBytes = linkLimits.binaryBytes;
const maxWaitingBytes = maxWaitingFrameBytes + 4 * linkLimits.textBytes;
/** RFC 6455, 7.4.1. */
const tooLarge = 1009;
/** How long the other end gets to answer a goodbye. */
const farewellMs = 2_000;

/**
 * What both ends of the link have in common: checked messages, limits on what comes in and what waits to go out, and
 * the pings that notice a dead connection. It ends the connection for what cannot be gone on from, never throws for
 * what the other end sends, and holds nothing beyond the socket's own buffer.
 */
export class LinkChannel<S extends Readonly<Record<string, import("valibot").GenericSchema>>> {
  readonly #options: LinkChannelOptions<S>;
  readonly #rate: { perMs: number; burst: number; tokens: number; atMs: number };
  #heardMs: number;
  #garbage = 0;
  #pings = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #farewell: ReturnType<typeof setTimeout> | undefined;
  /** Why this end gave up; what the socket says afterwards tells less. */
  #reason: string | undefined;

  constructor(options: LinkChannelOptions<S>) {
    this.#options = options;
    const perSecond = options.maxMessagesPerSecond ?? 200;
    const burst = perSecond * 10;
    this.#heardMs = options.clock.monotonicMs();
    this.#rate = { perMs: perSecond / 1000, burst, tokens: burst, atMs: this.#heardMs };
  }

  /** Bytes that have not left yet. */
  bufferedBytes(): number {
    return this.#options.socket.bufferedBytes();
  }

  /** Undefined while this end has not given up. */
  get endReason(): string | undefined {
    return this.#reason;
  }

  /** Pings from now on, and gives the connection up when the other end says nothing for three intervals. */
  keepAlive(pingMs: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const silentMs = this.#options.clock.monotonicMs() - this.#heardMs;
      if (silentMs > maxSilentPings * pingMs) {
        this.#giveUp(`nothing was heard for ${(silentMs / 1000).toFixed(1)} s`);
      } else {
        this.send({ type: "ping", id: String(this.#pings++) });
      }
    }, pingMs);
  }

  /** Throws `invalid_input` for a message over the limit, which is then not sent. A dead connection takes anything. */
  send(message: object): void {
    const text = JSON.stringify(message);
    const bytes = Buffer.byteLength(text);
    if (bytes > linkLimits.textBytes) {
      throw new AppError(
        "invalid_input",
        `the message has ${bytes} bytes, the link takes ${linkLimits.textBytes}`,
      );
    }
    if (this.#reason !== undefined) return;
    const { socket } = this.#options;
    if (socket.bufferedBytes() + bytes > maxWaitingBytes) {
      this.#giveUp("the other end does not read what it is sent");
    } else socket.send(text);
  }

  /** Throws like {@link send}, and `unavailable` while what was sent before has not left yet. */
  sendFrame(frame: Uint8Array<ArrayBuffer>): void {
    if (frame.byteLength > linkLimits.binaryBytes) {
      const detail = `the message has ${frame.byteLength} bytes, the link takes ${linkLimits.binaryBytes}`;
      throw new AppError("invalid_input", detail);
    }
    if (this.#reason !== undefined) return;
    const { socket } = this.#options;
    if (socket.bufferedBytes() + frame.byteLength > maxWaitingFrameBytes) {
      throw new AppError("unavailable", "the link is busy: what was sent before has not left yet");
    }
    socket.send(frame);
  }

  /** For what the socket received. */
  receive(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#reason !== undefined) return;
    this.#heardMs = this.#options.clock.monotonicMs();
    if (!this.#takeToken()) this.end(linkCloseCodes.flood, "too many messages");
    else if (typeof data === "string") this.#receiveText(data);
    else this.#receiveFrame(data);
  }

  /** Answers what cannot be understood; an end that sends much of it is given up. */
  refuse(error: LinkError): void {
    if (++this.#garbage <= maxGarbage) this.send(error);
    else this.end(linkCloseCodes.garbage, `too many messages that make no sense: ${error.detail}`);
  }

  /** Ends the connection and tells the other end why. */
  end(code: number, reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.stop();
    const { socket } = this.#options;
    // A close frame holds 123 bytes (RFC 6455, 5.5.1).
    socket.close(code, new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, 120)));
    this.#farewell = setTimeout(() => socket.terminate(), farewellMs);
  }

  /** Nothing more is done; for a connection that is gone. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#farewell);
  }

  #receiveText(text: string): void {
    const { schemas, onMessage, onError } = this.#options;
    if (Buffer.byteLength(text) > linkLimits.textBytes) {
      this.end(tooLarge, "the message is too large");
      return;
    }
    const parsed = parseLinkMessage(schemas, text);
    if (!parsed.ok) {
      this.refuse(parsed.error);
      return;
    }
    const message = parsed.message as { type: string; id: string };
    if (message.type === "ping") this.send({ type: "pong", id: message.id });
    else if (message.type === "error") onError(parsed.message as LinkError);
    else if (message.type !== "pong") onMessage(parsed.message as Parameters<typeof onMessage>[0]);
  }

  #receiveFrame(data: Uint8Array<ArrayBuffer>): void {
    if (data.byteLength > linkLimits.binaryBytes) {
      this.end(tooLarge, "the message is too large");
      return;
    }
    const frame = parseLinkFrame(data);
    if (frame) this.#options.onFrame(frame);
    else {
      const detail = "the binary message is of no kind that is known here";
      this.refuse({ type: "error", code: "unknown_type", detail });
    }
  }

  #giveUp(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.stop();
    this.#options.socket.terminate();
  }

  #takeToken(): boolean {
    const rate = this.#rate;
    const nowMs = this.#heardMs;
    rate.tokens = Math.min(rate.burst, rate.tokens + (nowMs - rate.atMs) * rate.perMs);
    rate.atMs = nowMs;
    if (rate.tokens < 1) return false;
    rate.tokens--;
    return true;
  }
}
