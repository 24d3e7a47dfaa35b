import { AppError, describeError, errorCodeOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import type { LinkProblem, Request, Response } from "../../common/protocol/link.ts";
import { formatLinkFrame } from "../../common/protocol/link-frame.ts";
import { httpStatusOf } from "../../common/protocol/problem.ts";
import type { LinkAnswer, LinkCommands, LinkContext } from "./link-commands.ts";
import { PartTurns } from "./part-turns.ts";

/** Where answers go; both throw `invalid_input` for what is over the link's limits. */
export interface AnswerSink {
  send(message: Response): void;
  sendFrame(frame: Uint8Array<ArrayBuffer>): void;
  /** Bytes that have not left yet. */
  bufferedBytes(): number;
}

export interface LinkRequestsOptions {
  commands: LinkCommands;
  sink: AnswerSink;
  live: LinkContext["live"];
  logger: Logger;
  /** Ends with the connection. */
  signal: AbortSignal;
}

/** A hub has a handful of people before it; more at once is a fault, and would cost the recording its processor. */
const maxRunning = 8;

/**
 * Answers each request of one connection once: with what the node says, or with why not, or, at its deadline, that it
 * takes too long. A verb that never ends keeps its place; when all are taken, requests are refused.
 */
export class LinkRequests {
  readonly #options: LinkRequestsOptions;
  readonly #running = new Set<string>();
  readonly #parts: PartTurns;

  constructor(options: LinkRequestsOptions) {
    this.#options = options;
    this.#parts = new PartTurns(options.sink);
  }

  /** Never rejects. */
  async handle({ id, method, params, deadline_ms }: Request): Promise<void> {
    const { commands, signal, live, logger } = this.#options;
    if (this.#running.has(id))
      return this.#refuse(id, new AppError("conflict", "a request of that id is running"));
    if (this.#running.size >= maxRunning) {
      return this.#refuse(
        id,
        new AppError("unavailable", `the node works on ${maxRunning} requests already`),
      );
    }
    this.#running.add(id);
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort();
      this.#refuse(id, new AppError("timeout", `the node did not get it done within ${deadline_ms} ms`));
    }, deadline_ms);
    try {
      const answer = await commands.run(method, params, {
        signal: AbortSignal.any([signal, deadline.signal]),
        live,
        parts: this.#parts,
      });
      if (!deadline.signal.aborted) this.#answer(id, answer);
    } catch (error) {
      if (deadline.signal.aborted) return;
      if (errorCodeOf(error) === "internal") {
        logger.error("a request of the hub failed", { method, ...errorFields(error) });
      }
      this.#refuse(id, error);
    } finally {
      clearTimeout(timer);
      this.#running.delete(id);
    }
  }

  #answer(id: string, answer: LinkAnswer): void {
    const { sink } = this.#options;
    if ("result" in answer) {
      sink.send({ type: "response", id, result: answer.result });
      return;
    }
    if ("part" in answer) {
      const { part: payload, videoId: video_id, start } = answer;
      sink.sendFrame(formatLinkFrame({ header: { type: "segment_part", id, video_id, start }, payload }));
      return;
    }
    const { jpeg: payload, cameraId: camera_id } = answer;
    const header = { type: "snapshot", id, camera_id, media_type: "image/jpeg" } as const;
    sink.sendFrame(formatLinkFrame({ header, payload }));
  }

  #refuse(id: string, error: unknown): void {
    this.#options.sink.send({ type: "response", id, problem: problemOf(error) });
  }
}

function problemOf(error: unknown): LinkProblem {
  const code = errorCodeOf(error);
  const issues = error instanceof AppError ? error.issues.slice(0, 200) : [];
  return {
    title: code,
    status: httpStatusOf[code],
    detail: describeError(error).slice(0, 4000),
    code,
    ...(issues.length > 0 && {
      issues: issues.map(({ path, message, received }) => ({
        path: path.slice(0, 500),
        message: message.slice(0, 1000),
        ...(received !== undefined && { received: received.slice(0, 500) }),
      })),
    }),
  };
}
