import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../common/clock.ts";
import { AppError } from "../../../common/errors.ts";
import { errorFields, type Logger } from "../../../common/log.ts";
import type { EdgeStatus } from "../../../common/protocol/control.ts";
import type { Secret } from "../../../common/secret.ts";
import { metricsContentType, metricsTextOf } from "./metrics-text.ts";

export interface MetricsServerOptions {
  hostname: string;
  port: number;
  /** What a reader has to show; without it nobody has to. */
  token: Secret | undefined;
  status: () => Promise<EdgeStatus>;
  clock: Clock;
  logger: Logger;
}

/** Readers that come together, or one after the other within this time, get the same text. */
const sharedMs = 1000;
const idleSeconds = 30;
const maxBodyBytes = 1024;

/** Serves `GET /metrics`, and nothing else. Throws `io` when the address cannot be had. */
export function serveMetrics(options: MetricsServerOptions): AsyncDisposable & { url: string } {
  const { hostname, port, token, logger } = options;
  const text = sharedText(options);
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      ...{ hostname, port, idleTimeout: idleSeconds, maxRequestBodySize: maxBodyBytes },
      async fetch(request) {
        if (new URL(request.url).pathname !== "/metrics") return answer(404, "not found\n");
        if (request.method !== "GET" && request.method !== "HEAD") {
          return answer(405, "GET or HEAD\n", { allow: "GET, HEAD" });
        }
        if (token && !isShown(request, token)) {
          return answer(401, "a bearer token is needed\n", { "www-authenticate": "Bearer" });
        }
        try {
          return answer(200, await text(), { "content-type": metricsContentType });
        } catch (error) {
          logger.error("the metrics could not be told", errorFields(error));
          return answer(500, "the metrics could not be told\n");
        }
      },
    });
  } catch (cause) {
    throw new AppError("io", `cannot listen on ${hostname} port ${port}`, { cause });
  }
  return { url: server.url.origin, [Symbol.asyncDispose]: () => server.stop(true) };
}

function sharedText({ status, clock }: MetricsServerOptions): () => Promise<string> {
  let last: { atMs: number; text: Promise<string> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (!last || nowMs - last.atMs > sharedMs) {
      const made = { atMs: nowMs, text: status().then((found) => metricsTextOf(found, clock.wallMs())) };
      made.text.catch(() => {
        if (last === made) last = undefined;
      });
      last = made;
    }
    return last.text;
  };
}

/** By digests of equal length, so that the time it takes says nothing of the token. */
function isShown(request: Request, token: Secret): boolean {
  const digest = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest();
  const shown = request.headers.get("authorization") ?? "";
  return timingSafeEqual(digest(shown), digest(`Bearer ${token.reveal()}`));
}

function answer(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, {
    status,
    headers: {
      ...{ "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}
