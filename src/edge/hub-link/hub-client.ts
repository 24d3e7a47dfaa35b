import ky, { type KyInstance } from "ky";
import * as v from "valibot";
import { AppError, type ErrorCode } from "../../common/errors.ts";
import { type AnnounceRequest, AnnounceResponse } from "../../common/protocol/announce.ts";
import { type BookmarkRequest, BookmarkResponse } from "../../common/protocol/bookmark.ts";
import { type GapReport, GapReportResponse } from "../../common/protocol/gap.ts";
import {
  type HeartbeatRequest,
  HeartbeatResponse,
  type RegisterRequest,
  RegisterResponse,
} from "../../common/protocol/node.ts";
import { Problem } from "../../common/protocol/problem.ts";
import type { Secret } from "../../common/secret.ts";
import { readBounded } from "./bounded-body.ts";

export interface HubClientOptions {
  /** `http://hub:8080`, with a path in front of `/api` where a proxy wants one. */
  hubUrl: string;
  apiKey: Secret;
  /** For a whole exchange, the last byte of the answer included; default 15 s. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 15_000;
/** The answer to 500 announces is a tenth of it. */
const maxAnswerBytes = 1024 * 1024;

/**
 * What an edge says to its hub. Every call either returns a checked answer or throws: `unavailable` (no connection,
 * 429, 5xx, an answer that makes no sense; `details.retryAfterMs` where the hub said it), `timeout`, `unauthorized`,
 * `forbidden`, `invalid_input` (the hub refuses what was sent), `not_found`, `cancelled`.
 */
export class HubClient {
  #ky: KyInstance;
  #apiKey: Secret;
  readonly #timeoutMs: number;

  constructor(options: HubClientOptions) {
    this.#apiKey = options.apiKey;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#ky = clientOf(options.hubUrl);
  }

  /** Where the next call goes, and with which key; what is under way is not touched. */
  connectTo({ hubUrl, apiKey }: Pick<HubClientOptions, "hubUrl" | "apiKey">): void {
    this.#ky = clientOf(hubUrl);
    this.#apiKey = apiKey;
  }

  /** A conflict is an answer, not an error. */
  announce(request: AnnounceRequest, signal?: AbortSignal): Promise<AnnounceResponse> {
    return this.#post("api/videos/announce", request, AnnounceResponse, signal, [409]);
  }

  register(request: RegisterRequest, signal?: AbortSignal): Promise<RegisterResponse> {
    return this.#post("api/nodes/register", request, RegisterResponse, signal);
  }

  heartbeat(nodeId: string, request: HeartbeatRequest, signal?: AbortSignal): Promise<HeartbeatResponse> {
    return this.#post(`api/nodes/${nodeId}/heartbeat`, request, HeartbeatResponse, signal);
  }

  reportGaps(nodeId: string, report: GapReport, signal?: AbortSignal): Promise<GapReportResponse> {
    return this.#post(`api/nodes/${nodeId}/gaps`, report, GapReportResponse, signal);
  }

  moveBookmark(nodeId: string, request: BookmarkRequest, signal?: AbortSignal): Promise<BookmarkResponse> {
    return this.#post(`api/nodes/${nodeId}/bookmark`, request, BookmarkResponse, signal);
  }

  async #post<S extends v.GenericSchema>(
    path: string,
    body: unknown,
    schema: S,
    signal: AbortSignal | undefined,
    answers: readonly number[] = [],
  ): Promise<v.InferOutput<S>> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await this.#ky.post(path, {
        json: body,
        headers: { authorization: `Bearer ${this.#apiKey.reveal()}` },
        signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
      });
      text = await readBounded(response, maxAnswerBytes);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      if (signal?.aborted) throw new AppError("cancelled", "the request was cancelled");
      if (deadline.aborted)
        throw new AppError("timeout", `the hub did not answer within ${this.#timeoutMs} ms`);
      throw new AppError("unavailable", "the hub cannot be reached", { cause });
    }
    const json = parseJson(text);
    if (!response.ok && !answers.includes(response.status)) throw errorOf(response, json);
    const checked = v.safeParse(schema, json);
    if (checked.success) return checked.output;
    if (!response.ok) throw errorOf(response, json);
    throw new AppError(
      "unavailable",
      `the hub answered ${response.status} with something that makes no sense`,
      {
        details: { answer: text.slice(0, 200) },
      },
    );
  }
}

/** Retries and deadlines are the callers' and ours: they know what progress is. */
function clientOf(hubUrl: string): KyInstance {
  return ky.create({
    prefix: hubUrl,
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    redirect: "manual",
  });
}

const codeOfStatus: Record<number, ErrorCode> = {
  400: "invalid_input",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "invalid_input",
  415: "invalid_input",
  422: "invalid_input",
};

function errorOf(response: Response, json: unknown): AppError {
  const problem = v.safeParse(Problem, json);
  const detail = problem.success ? (problem.output.detail ?? problem.output.title) : "";
  const issues = problem.success ? (problem.output.issues ?? []) : [];
  const retryAfterMs = retryAfterMsOf(response);
  const named = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
  const reason = [detail, named].filter(Boolean).join(": ").slice(0, 500);
  return new AppError(
    // An answer that is not the hub's own, such as a proxy's, says nothing about what we sent.
    problem.success ? (codeOfStatus[response.status] ?? "unavailable") : "unavailable",
    `the hub answered ${response.status}${reason ? `: ${reason}` : ""}`,
    { details: { status: response.status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } },
  );
}

/** RFC 9110 10.2.3; only the form in seconds, and at most an hour, so that a wrong one cannot stop us. */
function retryAfterMsOf(response: Response): number | undefined {
  const value = response.headers.get("retry-after");
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(Number(value), 3600) * 1000 : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
