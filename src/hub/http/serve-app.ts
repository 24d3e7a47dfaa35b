import type { Hono } from "hono";
import { sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { AppEnv } from "./app-env.ts";
import { problemOf, problemResponse } from "./problem-response.ts";

/** Requests in flight at the end get so long; a paused player would hold the hub for ever. */
const farewellMs = 5_000;

export interface RunningServer extends AsyncDisposable {
  url: string;
}

function badHost(): Response {
  return problemResponse(
    problemOf({ status: 400, code: "invalid_input", detail: "the Host header is not valid" }),
  );
}

/** Listens. Throws `already_running` when the port is taken, `io` when the address is not ours. */
export function serveApp(
  app: Hono<AppEnv>,
  listen: { hostname: string; port: number; idleTimeoutSeconds?: number },
): RunningServer {
  // Bun's default of 10 s ends slow uploads and paused players.
  const { hostname, port, idleTimeoutSeconds = 120 } = listen;
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      hostname,
      port,
      idleTimeout: idleTimeoutSeconds,
      // Routes have their own, smaller limits, which answer with a problem.
      maxRequestBodySize: 16 * 1024 * 1024,
      // Else Bun answers and prints errors in its own way unless NODE_ENV says production.
      development: false,
      // Which development: false turns on: a second hub would get half of the connections.
      reusePort: false,
      // With a Host that is none, Bun leaves the address without its beginning.
      fetch: (request) => (request.url.startsWith("http") ? app.fetch(request, env) : badHost()),
      // The app answers its own errors; what is left are files that vanished before Bun could open them.
      error: () =>
        problemResponse(problemOf({ status: 503, code: "unavailable", detail: "the file cannot be opened" })),
    });
  } catch (cause) {
    const where = `${hostname}:${port}`;
    if (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE") {
      throw new AppError("already_running", `${where} is taken by another program`, { cause });
    }
    throw new AppError("io", `cannot listen on ${where}`, { cause });
  }
  const env: AppEnv["Bindings"] = {
    addressOf: (request) => server.requestIP(request)?.address.replace(/^::ffff:(?=\d+\.)/, ""),
  };
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    url: `http://${host}:${server.port}`,
    async [Symbol.asyncDispose]() {
      const allAnswered = new AbortController();
      const farewell = sleep(farewellMs, allAnswered.signal).then(() => server.stop(true));
      await Promise.race([server.stop(), farewell]);
      allAnswered.abort();
    },
  };
}
